"""`tonnage distributor`: who holds contracts."""

import json
from uuid import UUID

import click

from tonnage.api_keys.key_cache import CACHE_SECONDS
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_distributor
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one
from tonnage.cli.param_types import NAME
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.locks import actions as lock_actions
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


@distributor.command()
@click.argument("distributor_id", metavar="ID", type=UUID_TYPE)
@click.option("--reason", required=True, type=NAME, help="Shown to its members when they sign in, and to its programs.")
@on_database
def lock(settings: Settings, distributor_id: UUID, reason: str) -> None:
    """Lock a distributor: its members cannot sign in, and its API keys do not work. Its data is not touched."""

    async def work(session: Session) -> None:
        await acting_for_distributor(session, distributor_id)
        await session.database.run(
            lock_actions.lock_organisation, session.operator, distributor_id, reason, session.now
        )

    run(settings, work)
    click.echo(f"Distributor locked. Its API keys stop working everywhere within {CACHE_SECONDS:g} s.", err=True)


@distributor.command()
@click.argument("distributor_id", metavar="ID", type=UUID_TYPE)
@on_database
def unlock(settings: Settings, distributor_id: UUID) -> None:
    """Unlock a distributor."""

    async def work(session: Session) -> None:
        await acting_for_distributor(session, distributor_id)
        await session.database.run(lock_actions.unlock_organisation, session.operator, distributor_id)

    run(settings, work)
    click.echo("Distributor unlocked.", err=True)
