"""`tonnage region`: where storage accounts live."""

import json

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import Column, as_json, show_list, show_one
from tonnage.cli.rules import ENDPOINT, REGION
from tonnage.config import Settings
from tonnage.regions import actions, queries
from tonnage.regions.region import NewRegion

_COLUMNS = (
    Column("Name", "name"),
    Column("S3", "s3_url"),
    Column("IAM", "iam_url"),
    Column("STS", "sts_url"),
    Column("New accounts", "default", lambda default: "here" if default else ""),
)


@click.group()
def region() -> None:
    """Where storage accounts live. New accounts go to the region that was added first."""


@region.command()
@click.argument("name", type=REGION)
@click.option("--s3-url", required=True, type=ENDPOINT, help="Where customers reach their buckets.")
@click.option("--iam-url", required=True, type=ENDPOINT, help="Where they manage users and policies.")
@click.option("--sts-url", required=True, type=ENDPOINT, help="Where they get temporary credentials.")
@as_json
@on_database
def add(settings: Settings, name: str, s3_url: str, iam_url: str, sts_url: str, as_json: bool) -> None:
    """Add a region; everybody sees its endpoints."""

    async def work(session: Session) -> bytes:
        details = NewRegion(name, s3_url, iam_url, sts_url)
        await session.database.run(lambda conn: actions.add_region(conn, session.operator, details, session.now))
        documents = await session.documents(queries.all_regions())
        return next(document for document in documents if json.loads(document)["name"] == name)

    show_one(run(settings, work), _COLUMNS, as_json=as_json)


@region.command("list")
@as_json
@on_database
def list_(settings: Settings, as_json: bool) -> None:
    """Show all regions."""
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
