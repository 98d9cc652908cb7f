"""`tonnage override`: more capacity for a storage account or a partner until a day."""

from datetime import date
from uuid import UUID

import click

from tonnage.accounts.actions import no_account
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import account_or_partner, acting_for_account, acting_for_distributor_of, require_subject
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one, size_column
from tonnage.cli.param_types import DAY, NAME, SIZE
from tonnage.config import Settings
from tonnage.db.rendered import Versioned
from tonnage.organisations.organisation import no_partner
from tonnage.overrides import actions, queries
from tonnage.overrides.override import NewOverride

_COLUMNS = (
    size_column("Capacity", "capacity"),
    PrintedColumn("Since", "since"),
    PrintedColumn("Until", "until"),
    PrintedColumn("Ended", "endedAt"),
    PrintedColumn("Free", "free", lambda free: "yes" if free else "no"),
    PrintedColumn("Reason", "reason"),
)


@click.group()
def override() -> None:
    """Timed overrides: more capacity for a storage account or a partner until a day."""


@override.command()
@account_or_partner
@click.option("--capacity", required=True, type=SIZE, help="More than the allocation, such as 12TB.")
@click.option("--until", required=True, type=DAY, help="The last day, as 2026-12-31: at most 90 days from today.")
@click.option("--reason", required=True, type=NAME, help="Shown to everyone who can see it.")
@click.option("--free", is_flag=True, help="Use within the override is not billed as excess.")
@as_json
@on_database
def grant(
    settings: Settings,
    account: str | None,
    partner_id: UUID | None,
    capacity: int,
    until: date,
    reason: str,
    free: bool,
    as_json: bool,
) -> None:
    """Grant more capacity until a day, on behalf of the partner, or of the distributor for a partner."""
    require_subject(account, partner_id)
    details = NewOverride(capacity, until, reason, free)

    async def work(session: Session) -> Versioned:
        database, now = session.database, session.now
        if partner_id is not None:
            distributor = await acting_for_distributor_of(session, partner_id)
            return await database.run(actions.grant_to_partner, distributor, partner_id, details, now)
        number, owner = await acting_for_account(session, account or "")
        return await database.run(actions.grant_to_account, owner, owner.organisation_id, number, details, now)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@override.command()
@account_or_partner
@on_database
def end(settings: Settings, account: str | None, partner_id: UUID | None) -> None:
    """End an override before its last day."""
    require_subject(account, partner_id)

    async def work(session: Session) -> None:
        if partner_id is not None:
            distributor = await acting_for_distributor_of(session, partner_id)
            await session.database.run(actions.end_of_partner, distributor, partner_id, session.now)
        else:
            number, owner = await acting_for_account(session, account or "")
            await session.database.run(actions.end_of_account, owner, owner.organisation_id, number, session.now)

    run(settings, work)
    click.echo("There is no override any more.", err=True)


@override.command("list")
@account_or_partner
@as_json
@on_database
def list_(settings: Settings, account: str | None, partner_id: UUID | None, as_json: bool) -> None:
    """List all overrides of a storage account or a partner, in the order in which they began."""
    require_subject(account, partner_id)

    async def work(session: Session) -> list[bytes]:
        if partner_id is not None:
            select = queries.overrides_of_partner(partner_id, partner_id)
            return await session.documents(select, no_partner(partner_id))
        number, owner = await acting_for_account(session, account or "")
        select = queries.overrides_of_account(owner.organisation_id, owner.organisation_id, number)
        return await session.documents(select, no_account(number))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)
