"""`tonnage overdraft-cap`: how much may be used beyond an allocation, or of pay-per-use."""

from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import account_or_partner, acting_for_account, acting_for_distributor_of, require_subject
from tonnage.cli.output import PrintedColumn, as_json, show_one, size_column
from tonnage.cli.param_types import SIZE
from tonnage.config import Settings
from tonnage.db.rendered import Versioned
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap, parse_amount
from tonnage.overdraft_caps.queries import PresentCap

_COLUMNS = (
    PrintedColumn("Percent", "percent"),
    PrintedColumn("Amount", "amount"),
    PrintedColumn("Currency", "currency"),
    size_column("Allows", "capacity"),
)


@click.group()
def overdraft_cap() -> None:
    """Caps of overdraft: how much may be used beyond an allocation, or of pay-per-use."""


@overdraft_cap.command("set")
@account_or_partner
@click.option("--percent", type=int, help="Percent of the allocation.")
@click.option("--capacity", type=SIZE, help="Bytes, such as 1TB.")
@click.option("--amount", help="Money a month, such as 100.00, in the currency of the buyer's prices.")
@as_json
@on_database
def set_(
    settings: Settings,
    account: str | None,
    partner_id: UUID | None,
    percent: int | None,
    capacity: int | None,
    amount: str | None,
    as_json: bool,
) -> None:
    """Limit what is used beyond the allocation, or of pay-per-use, in one unit."""
    require_subject(account, partner_id)
    cap = NewCap(percent, capacity, None if amount is None else parse_amount(amount))

    async def work(session: Session) -> Versioned:
        database, now = session.database, session.now
        if partner_id is not None:
            distributor = await acting_for_distributor_of(session, partner_id)
            return await database.run(actions.set_of_partner, distributor, partner_id, cap, now)
        number, owner = await acting_for_account(session, account or "")
        return await database.run(actions.set_of_account, owner, number, cap, now)

    show_one(run(settings, work).json, _COLUMNS, as_json=as_json)


@overdraft_cap.command()
@account_or_partner
@on_database
def remove(settings: Settings, account: str | None, partner_id: UUID | None) -> None:
    """Remove a cap."""
    require_subject(account, partner_id)

    async def work(session: Session) -> None:
        if partner_id is not None:
            distributor = await acting_for_distributor_of(session, partner_id)
            await session.database.run(actions.remove_of_partner, distributor, partner_id)
        else:
            number, owner = await acting_for_account(session, account or "")
            await session.database.run(actions.remove_of_account, owner, number)

    run(settings, work)
    click.echo("There is no cap any more.", err=True)


@overdraft_cap.command()
@account_or_partner
@as_json
@on_database
def show(settings: Settings, account: str | None, partner_id: UUID | None, as_json: bool) -> None:
    """Show a cap, and what it allows at present."""
    require_subject(account, partner_id)

    async def work(session: Session) -> PresentCap:
        if partner_id is not None:
            distributor = await acting_for_distributor_of(session, partner_id)
            return await session.database.run(actions.cap_of_partner, distributor, partner_id)
        number, owner = await acting_for_account(session, account or "")
        return await session.database.run(actions.cap_of_account, owner, number)

    cap = run(settings, work)
    if cap.cap is None and not as_json:
        click.echo("There is no cap.", err=True)
    else:
        show_one(cap.json, _COLUMNS, as_json=as_json)
