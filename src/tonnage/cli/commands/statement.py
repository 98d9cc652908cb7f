"""`tonnage statement`: what buyers are charged for a month."""

import json
from datetime import date

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import MONTH
from tonnage.cli.subject import on_subject
from tonnage.config import Settings
from tonnage.price_books.assignment import Subject
from tonnage.statements import actions

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
@click.option("--month", required=True, type=MONTH, help="The month, such as 2026-11.")
@as_json
@on_database
@on_subject
def preview(settings: Settings, subject: Subject, month: date, as_json: bool) -> None:
    """Show the statement of a month as it would be now: of the running month the month to date."""

    async def work(session: Session) -> bytes:
        shown = await session.database.transaction(actions.draft, None, subject, month, session.now)
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
