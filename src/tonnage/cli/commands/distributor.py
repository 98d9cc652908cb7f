"""`tonnage distributor`: who holds contracts."""

import json

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.lock_commands import add_lock_commands
from tonnage.cli.organisation import acting_for_distributor
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import NAME
from tonnage.config import Settings
from tonnage.organisations import actions as organisation_actions
from tonnage.organisations import queries as organisation_queries

_COLUMNS = (PrintedColumn("ID", "id"), PrintedColumn("Name", "name"), PrintedColumn("Locked", "lockedAt"))


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
@as_json
@on_database
def list_(settings: Settings, as_json: bool) -> None:
    """List distributors."""
    show_list(
        run(settings, lambda session: session.documents(organisation_queries.distributors())), _COLUMNS, as_json=as_json
    )


add_lock_commands(distributor, "distributor", acting_for_distributor)
