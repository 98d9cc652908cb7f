"""`tonnage region`: where storage accounts live."""

import asyncio
import json
from collections.abc import Callable
from typing import BinaryIO, TypeVar

import click

from tonnage.cli.context import Session, key_file, on_database, run
from tonnage.cli.output import Column, as_json, show_list, show_one
from tonnage.cli.plane_report import Checked, warn
from tonnage.cli.rules import ENDPOINT, REGION
from tonnage.cli.secret_input import read_key_pair
from tonnage.config import Settings
from tonnage.regions import actions, queries
from tonnage.regions.planes import opened
from tonnage.regions.region import Gateway, NewRegion

F = TypeVar("F", bound=Callable[..., object])

_COLUMNS = (
    Column("Name", "name"),
    Column("Plane", "plane"),
    Column("S3", "s3_url"),
    Column("IAM", "iam_url"),
    Column("STS", "sts_url"),
    Column("New accounts", "default", lambda default: "here" if default else ""),
    Column("Admin API", "admin_url"),
    Column("Trouble", "trouble"),
)

_FILE = "--ceph-credentials-file"


@click.group()
def region() -> None:
    """Where storage accounts live. New accounts go to the region that was added first."""


def _reached_by(*, required: bool) -> Callable[[F], F]:
    """Gives a command the options that say how a cluster is administered."""
    url = click.option(
        "--ceph-admin-url",
        "admin_url",
        required=required,
        type=ENDPOINT,
        help="Where a gateway of the region's Ceph takes Admin Ops, such as https://rgw.internal:8080.",
    )
    file = click.option(
        _FILE,
        "credentials",
        type=click.File("rb"),
        help="The access key of its admin user on the first line, the secret on the second; else they are asked for, "
        "or read from standard input.",
    )
    return lambda command: url(file(command))


@region.command()
@click.argument("name", type=REGION)
@click.option("--s3-url", required=True, type=ENDPOINT, help="Where customers reach their buckets.")
@click.option("--iam-url", required=True, type=ENDPOINT, help="Where they manage users and policies.")
@click.option("--sts-url", required=True, type=ENDPOINT, help="Where they get temporary credentials.")
@_reached_by(required=False)
@as_json
@on_database
def add(
    settings: Settings,
    name: str,
    s3_url: str,
    iam_url: str,
    sts_url: str,
    admin_url: str | None,
    credentials: BinaryIO | None,
    as_json: bool,
) -> None:
    """Add a region; everybody sees its endpoints.

    With --ceph-admin-url its accounts live on that Ceph cluster and are held to their capacity. Without, the region is
    metered only: usage is imported, and nothing is enforced.
    """
    if admin_url is None and credentials is not None:
        raise click.UsageError(f"{_FILE} goes with --ceph-admin-url; name both, or neither.")
    details = NewRegion(name, s3_url, iam_url, sts_url)
    gateway = _gateway(admin_url, credentials) if admin_url else None
    keys = key_file(settings)

    async def work(session: Session) -> tuple[bytes, Checked]:
        await session.database.transaction(
            lambda conn: actions.add_region(
                conn, session.operator, details, session.now, gateway=gateway, key_file=keys
            )
        )
        documents = await session.documents(queries.all_regions())
        added = next(document for document in documents if json.loads(document)["name"] == name)
        return added, (await _examined(session, settings, name))[0]

    document, checked = run(settings, work)
    show_one(document, _COLUMNS, as_json=as_json)
    warn(checked)


@region.command()
@click.argument("name")
@_reached_by(required=True)
@on_database
def connect(settings: Settings, name: str, admin_url: str, credentials: BinaryIO | None) -> None:
    """Put a region on a cluster, or change how its cluster is reached: another address, or new credentials.

    Accounts of the region are brought to the cluster, or compared with what is there, by the next job.
    """
    gateway, keys = _gateway(admin_url, credentials), key_file(settings)

    async def work(session: Session) -> Checked:
        await session.database.transaction(
            lambda conn: actions.connect_region(conn, session.operator, name, gateway, keys)
        )
        return (await _examined(session, settings, name))[0]

    checked = run(settings, work)
    click.echo(f"The region {name} is reached at {gateway.admin_url}.", err=True)
    warn(checked)


@region.command()
@click.argument("name", required=False)
@as_json
@on_database
def check(settings: Settings, name: str | None, as_json: bool) -> None:
    """Try the cluster of a region, or of every region; changes nothing.

    Says whether it can be reached, takes the credentials, grants the capabilities and agrees on the time, and what it
    enforces. Exit status 1 when anything is wrong.
    """
    found = run(settings, lambda session: _examined(session, settings, name))
    if as_json:
        click.echo(json.dumps([checked.document() for checked in found], ensure_ascii=False))
    else:
        for checked in found:
            click.echo("\n".join(checked.lines()))
    if any(checked.report.problems for checked in found):
        raise SystemExit(1)


@region.command("list")
@as_json
@on_database
def list_(settings: Settings, as_json: bool) -> None:
    """Show all regions, and which of them are in trouble."""
    show_list(run(settings, lambda session: session.documents(queries.all_regions())), _COLUMNS, as_json=as_json)


@region.command()
@click.argument("name")
@on_database
def remove(settings: Settings, name: str) -> None:
    """Remove a region in which no storage account lives."""

    async def work(session: Session) -> None:
        await session.database.transaction(lambda conn: actions.remove_region(conn, session.operator, name))

    run(settings, work)
    click.echo(f"The region {name} is removed.", err=True)


def _gateway(admin_url: str, credentials: BinaryIO | None) -> Gateway:
    return Gateway(admin_url, *read_key_pair(credentials, _FILE))


async def _examined(session: Session, settings: Settings, name: str | None) -> list[Checked]:
    """The region of that name, or all of them. NotFound: there is none of that name."""
    meant = await session.database.run(lambda conn: queries.all_clusters(conn, name))
    if name is not None and not meant:
        raise actions.no_region(name)
    async with opened(session.database, key_file(settings)) as planes:
        reports = await asyncio.gather(*(actions.examine(planes, cluster.region_id) for cluster in meant))
    return [Checked(cluster, report) for cluster, report in zip(meant, reports, strict=True)]
