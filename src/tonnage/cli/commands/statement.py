"""`tonnage statement`: what buyers are charged for a month."""

import json
from datetime import date
from uuid import UUID

import click

from tonnage.accounts.actions import account_number
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import MONTH
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.config import Settings
from tonnage.statements import actions
from tonnage.statements.buyer import Level

_LINES = (
    PrintedColumn("No.", "no", align="right"),
    PrintedColumn("Product", "product"),
    PrintedColumn("Subject", "subjectName"),
    PrintedColumn("From", "from"),
    PrintedColumn("To", "to"),
    PrintedColumn("GB-months", "quantityGbMonths", align="right"),
    PrintedColumn("Cents", "unitPrice", align="right"),
    PrintedColumn("Amount", "amount", align="right"),
)


@click.group()
def statement() -> None:
    """Statements: what buyers are charged for a month."""


@statement.command()
@click.option("--contract", "contract_id", type=UUID_TYPE, help="What the operator charges for this contract.")
@click.option("--partner", "partner_id", type=UUID_TYPE, help="What the distributor charges this partner.")
@click.option("--account", help="What the partner charges this storage account.")
@click.option("--month", required=True, type=MONTH, help="The month, such as 2026-11.")
@as_json
@on_database
def preview(
    settings: Settings,
    contract_id: UUID | None,
    partner_id: UUID | None,
    account: str | None,
    month: date,
    as_json: bool,
) -> None:
    """Show the statement of a month as it would be now: of the running month the month to date."""
    level, buyer_id = _buyer(contract_id, partner_id, account)

    async def work(session: Session) -> bytes:
        shown = await session.database.transaction(actions.draft, None, level, buyer_id, month, session.now)
        return json.dumps(shown.document(), ensure_ascii=False).encode()

    show_statement(run(settings, work), as_json=as_json)


def show_statement(document: bytes, *, as_json: bool) -> None:
    """Prints a statement: its lines as a table, and its sums."""
    if as_json:
        click.echo(document)
        return
    shown = json.loads(document)
    click.echo(f"{shown['sellerName']} to {shown['buyerName']}, {shown['month']}, {shown['state']}")
    show_list([json.dumps(line).encode() for line in shown["lines"]], _LINES, as_json=False)
    click.echo(f"Net: {shown['currency']} {shown['net']}")


def _buyer(contract_id: UUID | None, partner_id: UUID | None, account: str | None) -> tuple[Level, UUID | int]:
    given: list[tuple[Level, UUID | int]] = []
    if contract_id is not None:
        given.append((Level.CONTRACT, contract_id))
    if partner_id is not None:
        given.append((Level.PARTNER, partner_id))
    if account is not None:
        given.append((Level.ACCOUNT, account_number(account)))
    if len(given) != 1:
        raise click.UsageError("Give one of --contract, --partner and --account.")
    return given[0]
