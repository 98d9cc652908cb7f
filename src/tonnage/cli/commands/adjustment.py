"""`tonnage adjustment`: what is added to the next statement of a buyer."""

import json
from typing import Literal
from uuid import UUID

import click

from tonnage.billing.line import SubjectId
from tonnage.cli.commands.statement import LINE_COLUMNS
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_seller
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import BUYER, SELLER
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.statements import adjustment_actions
from tonnage.statements.adjustment_lists import adjustments_of

_COLUMNS = (
    PrintedColumn("Made", "createdAt"),
    PrintedColumn("Buyer", "buyerName"),
    PrintedColumn("Amount", "amount", align="right"),
    PrintedColumn("Remaining", "remaining", align="right"),
    PrintedColumn("Currency", "currency"),
    PrintedColumn("Month", "month"),
    PrintedColumn("Reason", "reason"),
    PrintedColumn("ID", "id"),
)


@click.group()
def adjustment() -> None:
    """Adjustments: what is added to the next statement of a buyer."""


@adjustment.command()
@click.option("--seller", "organisation", required=True, type=SELLER, help="The id of an organisation, or `operator`.")
@click.option("--buyer", required=True, type=BUYER, help="The id of its contract, its partner or its storage account.")
@click.option("--amount", required=True, help="In the major unit; below zero the buyer is charged less.")
@click.option("--currency", help="Three letters. Without it: that of the buyer's prices.")
@click.option("--reason", required=True, help="Printed on the statement.")
@as_json
@on_database
def create(
    settings: Settings,
    organisation: UUID | Literal["operator"],
    buyer: SubjectId,
    amount: str,
    currency: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Add an amount to the next statement of a buyer, or take it off, before taxes.

    What does not fit into one statement, because that would fall below zero, remains for the one after it.
    """

    async def work(session: Session) -> bytes:
        actor = await acting_for_seller(session, organisation)
        return await session.database.transaction(
            adjustment_actions.create_adjustment, actor, buyer, amount, currency, reason, session.now
        )

    _show(run(settings, work), as_json=as_json)


@adjustment.command("list")
@click.option("--seller", "organisation", required=True, type=SELLER, help="The id of an organisation, or `operator`.")
@click.option("--buyer", type=BUYER, help="Of one buyer.")
@click.option("--open", "is_open", is_flag=True, help="Those that remain, as a whole or in part.")
@as_json
@on_database
def list_(
    settings: Settings,
    organisation: UUID | Literal["operator"],
    buyer: SubjectId | None,
    is_open: bool,
    as_json: bool,
) -> None:
    """List a seller's adjustments, the newest last: those of people, and those of frozen months."""

    async def work(session: Session) -> list[bytes]:
        actor = await acting_for_seller(session, organisation)
        return await session.documents(adjustments_of(actor.organisation_id, buyer, is_open=is_open))

    show_list(run(settings, work), _COLUMNS, as_json=as_json)


@adjustment.command()
@click.argument("adjustment_id", type=UUID_TYPE)
@as_json
@on_database
def show(settings: Settings, adjustment_id: UUID, as_json: bool) -> None:
    """Show an adjustment; of a frozen month with its lines before and after it was computed again."""

    async def work(session: Session) -> bytes:
        found = await session.database.run(adjustment_actions.find_adjustment, None, adjustment_id)
        return json.dumps(found, ensure_ascii=False).encode()

    _show(run(settings, work), as_json=as_json)


def _show(document: bytes, *, as_json: bool) -> None:
    if as_json:
        click.echo(document)
        return
    shown = json.loads(document)
    about = f"for {shown['month']}" if "month" in shown else shown["reason"]
    click.echo(f"{shown['buyerName']}: {shown['currency']} {shown['amount']} ({about})")
    click.echo(f"Remaining: {shown['currency']} {shown['remaining']}")
    click.echo(f"ID: {shown['id']}")
    for name in ("before", "after"):
        if name in shown:
            click.echo(f"{name.capitalize()}:")
            show_list([json.dumps(line).encode() for line in shown[name]], LINE_COLUMNS, as_json=False)
