"""`tonnage distributor`: who holds contracts."""

import json
from uuid import UUID

import click

from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.lock_commands import add_lock_commands
from tonnage.cli.organisation import acting_for_distributor
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import NAME
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.organisations import actions as organisation_actions
from tonnage.organisations import queries as organisation_queries
from tonnage.partners.actions import close_distributor

_COLUMNS = (PrintedColumn("ID", "id"), PrintedColumn("Name", "name"))


@click.group()
def distributor() -> None:
    """Distributors: organisations that hold contracts and create partners under them."""


@distributor.command()
@click.argument("name", type=NAME)
@as_json
@on_database
def create(settings: Settings, name: str, as_json: bool) -> None:
    """Create a distributor."""

    async def work(session: Session) -> bytes:
        made = await session.database.run(organisation_actions.create_distributor, session.operator, name, session.now)
        return json.dumps({"id": str(made), "name": name}, ensure_ascii=False).encode()

    show_one(run(settings, work), _COLUMNS, as_json=as_json)


@distributor.command("list")
@click.option("--closed", is_flag=True, help="Only closed distributors, which the list else leaves out.")
@as_json
@on_database
def list_(settings: Settings, closed: bool, as_json: bool) -> None:
    """List distributors."""
    since = PrintedColumn("Closed", "closedAt") if closed else PrintedColumn("Locked", "lockedAt")
    found = run(settings, lambda session: session.documents(organisation_queries.distributors(closed=closed)))
    show_list(found, (*_COLUMNS, since), as_json=as_json)


@distributor.command()
@click.argument("distributor_id", metavar="ID", type=UUID_TYPE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_database
def close(settings: Settings, distributor_id: UUID, yes: bool) -> None:
    """Close a distributor that has no partners. This cannot be undone.

    Its members are deleted, its API keys stop working, and its contracts end. Its past usage and audit log stay.
    """
    if not yes:
        click.confirm("Close the distributor for good?", abort=True, err=True)

    async def work(session: Session) -> None:
        await session.database.run(close_distributor, session.operator, distributor_id, session.now)

    run(settings, work)
    click.echo(f"Distributor closed. Its API keys stop working everywhere within {CACHE_SECONDS:g} s.", err=True)


add_lock_commands(distributor, "distributor", acting_for_distributor)
