"""`tonnage region`: where storage accounts live."""

import asyncio
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

import click

from tonnage.cli.cluster_report import CheckedCluster, warn
from tonnage.cli.context import Session, key_file, on_database, prepare_keys, run
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one, size_column
from tonnage.cli.param_types import ENDPOINT, REGION, SIZE
from tonnage.cli.secret_input import read_key_pair
from tonnage.config import Settings
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, NotFound
from tonnage.regions import actions, queries
from tonnage.regions.backends import open_backends
from tonnage.regions.region import Gateway, NewRegion
from tonnage.storage.backend import AccessKey, BackendReport
from tonnage.storage.ceph import CephBackend

F = TypeVar("F", bound=Callable[..., object])

_COLUMNS = (
    PrintedColumn("Name", "name"),
    PrintedColumn("Backend", "backend"),
    PrintedColumn("S3", "s3_url"),
    PrintedColumn("IAM", "iam_url"),
    PrintedColumn("STS", "sts_url"),
    PrintedColumn("New accounts", "default", lambda default: "here" if default else ""),
    PrintedColumn("Admin API", "admin_url"),
    size_column("Capacity", "physicalCapacity"),
    PrintedColumn("Problem", "unhealthy_reason"),
)

_FILE = "--ceph-credentials-file"


@click.group()
def region() -> None:
    """Regions, where storage accounts live. New accounts go to the region that was added first."""


def _reached_by(*, required: bool) -> Callable[[F], F]:
    """Gives a command the options that say how a cluster is administered."""
    url = click.option(
        "--ceph-admin-url",
        "admin_url",
        required=required,
        type=ENDPOINT,
        help="The URL of a Ceph gateway of the region with the admin API, such as https://rgw.internal:8080.",
    )
    file = click.option(
        _FILE,
        "credentials",
        type=click.File("rb"),
        help="A file with the admin user's access key on the first line and the secret key on the second. "
        "Without it, both are prompted for or read from standard input.",
    )
    force = click.option("--force", is_flag=True, help="Save even if the cluster refuses these credentials.")
    return lambda command: url(file(force(command)))


@region.command()
@click.argument("name", type=REGION)
@click.option("--s3-url", required=True, type=ENDPOINT, help="The S3 endpoint for customers' buckets.")
@click.option("--iam-url", required=True, type=ENDPOINT, help="The IAM endpoint for users and policies.")
@click.option("--sts-url", required=True, type=ENDPOINT, help="The STS endpoint for temporary credentials.")
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
    force: bool,
    as_json: bool,
) -> None:
    """Add a region. Everybody can see its endpoints.

    With --ceph-admin-url its accounts live on that Ceph cluster, which enforces their capacity. Without it, the region
    is metered only: usage is imported and nothing is enforced. A cluster that is down is accepted with a warning; one
    that refuses the credentials is not.
    """
    if admin_url is None and credentials is not None:
        raise click.UsageError(f"{_FILE} needs --ceph-admin-url. Give both, or neither.")
    details = NewRegion(name, s3_url, iam_url, sts_url)
    gateway = _gateway(admin_url, credentials) if admin_url else None
    keys = key_file(settings)

    async def work(session: Session) -> tuple[bytes, BackendReport | None]:
        report = await _tried(session, settings, gateway, force=force) if gateway else None
        await session.database.transaction(
            actions.add_region, session.operator, details, session.now, gateway=gateway, key_file=keys
        )
        (added,) = await session.documents(queries.all_regions(name))
        return added, report

    document, report = run(settings, work)
    show_one(document, _COLUMNS, as_json=as_json)
    if report:
        warn(name, report)


@region.command()
@click.argument("name")
@_reached_by(required=True)
@on_database
def connect(settings: Settings, name: str, admin_url: str, credentials: BinaryIO | None, force: bool) -> None:
    """Connect a region to a cluster.

    Also changes the address or the credentials of a region's cluster. The next job creates the region's accounts on the
    cluster, or compares them with what is there. A cluster that is down is accepted with a warning; one that refuses
    the credentials is not.
    """
    gateway, keys = _gateway(admin_url, credentials), key_file(settings)

    async def work(session: Session) -> BackendReport:
        report = await _tried(session, settings, gateway, force=force)
        with _named(name):
            await session.database.transaction(
                actions.connect_region, session.operator, name, gateway, session.now, keys
            )
        return report

    report = run(settings, work)
    click.echo(f"Region {name} connected at {gateway.admin_url}.", err=True)
    warn(name, report)


@region.command()
@click.argument("name", required=False)
@as_json
@on_database
def check(settings: Settings, name: str | None, as_json: bool) -> None:
    """Check the cluster of a region, or of every region. Changes nothing.

    Shows whether the cluster can be reached, accepts the credentials, grants the capabilities and has the right time,
    and what it enforces. Exit status 1 if there is a problem.
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
    """List regions, and their problems."""
    show_list(run(settings, lambda session: session.documents(queries.all_regions())), _COLUMNS, as_json=as_json)


@region.command()
@click.argument("name")
@click.option("--physical", type=SIZE, help="What the cluster can store after replication, such as 2PB.")
@click.option("--unknown", is_flag=True, help="Nobody knows: the overview shows no free capacity.")
@on_database
def capacity(settings: Settings, name: str, physical: int | None, unknown: bool) -> None:
    """State how much a region's cluster can store.

    The gateway does not say it. The operator's overview shows what is left of it beside what is sold and used. Nothing
    is refused because of it.
    """
    if (physical is None) is not unknown:
        raise click.UsageError("Give --physical SIZE, or --unknown.")

    async def work(session: Session) -> None:
        with _named(name):
            await session.database.run(actions.state_capacity, session.operator, name, physical, session.now)

    run(settings, work)
    click.echo(f"Capacity of region {name} stated.", err=True)


@region.command()
@click.argument("name")
@on_database
def remove(settings: Settings, name: str) -> None:
    """Remove a region that has no storage accounts.

    A deleted account stays in its region until its grace period is over and it is purged.
    """

    async def work(session: Session) -> None:
        with _named(name):
            try:
                await session.database.transaction(actions.remove_region, session.operator, name)
            except Conflict as error:
                stays = "Deleted accounts stay until their grace period is over and they are purged."
                raise Conflict(f"{error} {stays}", ConflictCode.REGION_IN_USE) from error

    run(settings, work)
    click.echo(f"Region {name} removed.", err=True)


def _gateway(admin_url: str, credentials: BinaryIO | None) -> Gateway:
    return Gateway(admin_url, *read_key_pair(credentials, _FILE))


@contextmanager
def _named(name: str) -> Generator[None]:
    """Around work on the region of that name: where all of them are is not the API here, but a command."""
    try:
        yield
    except NotFound as error:
        raise _no_region(name) from error


def _no_region(name: str) -> NotFound:
    return NotFound(f"There is no region {name}. See: tonnage region list")


async def _tried(session: Session, settings: Settings, gateway: Gateway, *, force: bool) -> BackendReport:
    """How the cluster does, before anything is changed: a typing error must not end the use of a region that is well.

    Conflict: it can be reached, and does not take the credentials. With `force` that is no more than a problem. Sees to
    the keys that are to seal the credentials, too.
    """
    backend = CephBackend(gateway.admin_url, AccessKey(gateway.access_key, gateway.secret_key))
    try:
        report = await backend.check()
    finally:
        await backend.close()
    if report.reachable and not report.credentials and not force:
        raise Conflict(
            f"{' '.join(report.problems)} Nothing was changed. To save anyway, use --force.",
            ConflictCode.CLUSTER_REFUSED,
        )
    await session.database.run(prepare_keys, settings)
    return report


async def _examined(session: Session, settings: Settings, name: str | None) -> list[CheckedCluster]:
    """The region of that name, or all of them. NotFound: there is none of that name."""
    meant = await session.database.run(queries.all_clusters, name)
    if name is not None and not meant:
        raise _no_region(name)
    async with open_backends(session.database, key_file(settings)) as backends:
        reports = await asyncio.gather(*(actions.report_on(backends, cluster.region_id) for cluster in meant))
    return [CheckedCluster(cluster, report) for cluster, report in zip(meant, reports, strict=True)]
