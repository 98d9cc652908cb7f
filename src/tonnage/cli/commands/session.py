"""`tonnage session`: where members are signed in to the console."""

from datetime import timedelta
from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import EMAIL
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.members.actions import find_member
from tonnage.sessions import actions
from tonnage.sessions.lists import session_documents

_COLUMNS = (
    PrintedColumn("ID", "id"),
    PrintedColumn("Member", "member"),
    PrintedColumn("Signed in", "signedInAt"),
    PrintedColumn("Last used", "lastUsedAt"),
    PrintedColumn("Address", "address"),
    PrintedColumn("Browser", "userAgent"),
)


@click.group()
def session() -> None:
    """Sessions: where members are signed in to the console."""


@session.command("list")
@organisation_or_operator
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, of_operator: bool, as_json: bool) -> None:
    """List the open sessions of an organisation's members, the last used first."""
    require_one(organisation_id, of_operator=of_operator)
    idle = timedelta(minutes=settings.session_idle_minutes)

    async def work(session: Session) -> list[bytes]:
        own = (await chosen_organisation(session, organisation_id, of_operator=of_operator)).organisation_id
        return await session.database.run(session_documents, own, session.wall_now, idle)

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@session.command()
@click.argument("session_id", metavar="ID", type=UUID_TYPE)
@on_database
def end(settings: Settings, session_id: UUID) -> None:
    """End a session, by its id from the list."""

    async def work(session: Session) -> None:
        organisation_id = await session.database.run(actions.find_session, session_id)
        await session.database.run(actions.end_session, session.operator, organisation_id, session_id)

    run(settings, work)
    click.echo("Session ended.", err=True)


@session.command("end-all")
@click.argument("email", type=EMAIL)
@on_database
def end_all(settings: Settings, email: str) -> None:
    """End all sessions of a member. The member can sign in again."""

    async def work(session: Session) -> None:
        organisation_id, member_id = await session.database.run(find_member, email)
        await session.database.run(actions.end_sessions, session.operator, organisation_id, member_id)

    run(settings, work)
    click.echo(f"All sessions of {email} ended.", err=True)
