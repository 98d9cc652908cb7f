"""`tonnage alert`: what has reached a level of its capacity."""

import json
from uuid import UUID

import click

from tonnage.access.actor import Kind
from tonnage.alerts import actions
from tonnage.alerts.lists import alerts_of
from tonnage.alerts.queries import levels_of
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for, chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list, size_column
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.contact_mails.actions import set_contact_mails
from tonnage.contact_mails.queries import is_enabled
from tonnage.organisations.organisation import no_partner

_COLUMNS = (
    PrintedColumn("What", "subject"),
    PrintedColumn("ID", "subjectId"),
    PrintedColumn("Name", "name"),
    PrintedColumn("Level", "level", lambda level: f"{level} %", align="right"),
    size_column("Used then", "used"),
    size_column("Of", "capacity"),
    PrintedColumn("Since", "crossedAt"),
)


@click.group()
def alert() -> None:
    """Alerts: what has reached a level of its capacity."""


@alert.command("list")
@organisation_or_operator
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, of_operator: bool, as_json: bool) -> None:
    """List what has reached a level, of an organisation and its partners; of everybody for the operator."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[bytes]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return await session.documents(alerts_of(actor.scope), None)

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@alert.command()
@organisation_or_operator
@click.option("--set", "levels", type=int, multiple=True, help="A level in percent; repeat it for several, ascending.")
@click.option("--inherit", is_flag=True, help="Go back to the levels of the distributor or the operator.")
@as_json
@on_database
def levels(
    settings: Settings,
    organisation_id: UUID | None,
    of_operator: bool,
    levels: tuple[int, ...],
    inherit: bool,
    as_json: bool,
) -> None:
    """Show the levels of an organisation, or set them."""
    require_one(organisation_id, of_operator=of_operator)
    if levels and inherit:
        raise click.UsageError("Give either --set or --inherit.")

    async def work(session: Session) -> bytes:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        if levels:
            await session.database.transaction(actions.set_levels, actor, levels)
        elif inherit:
            await session.database.transaction(actions.inherit_levels, actor)
        found = await session.database.run(levels_of, actor.organisation_id)
        return json.dumps(found._asdict()).encode()

    columns = (
        PrintedColumn("Levels", "levels", lambda found: ", ".join(f"{level} %" for level in found)),
        PrintedColumn("Own", "own", lambda own: "yes" if own else "no"),
    )
    document = run(settings, work)
    if as_json:
        click.echo(document)
    else:
        show_list([document], columns, as_json=False)


@alert.command()
@click.option("--organisation", "partner_id", type=UUID_TYPE, required=True, help="The id of a partner.")
@click.option("--on/--off", "enabled", default=None, help="Mail them, or not. Without it the present setting is shown.")
@as_json
@on_database
def contacts(settings: Settings, partner_id: UUID, enabled: bool | None, as_json: bool) -> None:
    """Show whether a partner's contacts are mailed about alerts, or set it."""

    async def work(session: Session) -> bytes:
        actor = await acting_for(session, partner_id)
        if actor.kind is not Kind.PARTNER:
            raise no_partner(partner_id)
        if enabled is not None:
            await session.database.transaction(set_contact_mails, actor, enabled=enabled)
        return json.dumps({"enabled": await session.database.run(is_enabled, partner_id)}).encode()

    document = run(settings, work)
    columns = (PrintedColumn("Contacts are mailed", "enabled", lambda one: "yes" if one else "no"),)
    if as_json:
        click.echo(document)
    else:
        show_list([document], columns, as_json=False)


@alert.command()
@on_database
def evaluate(settings: Settings) -> None:
    """Compare the use of everything with its levels now, as a job does every hour and after each sampling."""

    async def work(session: Session) -> int:
        return await actions.evaluate(session.database, session.now)

    click.echo(f"New alerts: {run(settings, work)}.", err=True)
