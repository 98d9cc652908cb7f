"""`tonnage credit-note`: what is taken back of a statement."""

import json
from collections.abc import Sequence
from uuid import UUID

import click

from tonnage.cli.commands.statement import show_statement
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_seller
from tonnage.cli.output import as_json
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.services import open_services
from tonnage.config import Settings
from tonnage.credit_notes import actions
from tonnage.credit_notes.new_credit_note import LineAmount
from tonnage.statements.actions import find_frozen
from tonnage.utc import day_of


class _LineAmount(click.ParamType[LineAmount]):
    name = "no=amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> LineAmount:
        """The number of a line, and an amount as it is written."""
        if isinstance(value, LineAmount):
            return value
        number, _, amount = str(value).partition("=")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and amount):
            self.fail("must be the number of a line and an amount, such as 2=5.00", param, ctx)
        return LineAmount(int(number), amount)


@click.group("credit-note")
def credit_note() -> None:
    """Credit notes: what is taken back of a statement."""


@credit_note.command()
@click.argument("statement_id", type=UUID_TYPE)
@click.option(
    "--line", "lines", type=_LineAmount(), multiple=True, help="An amount of a line, such as 2=5.00. Can be repeated."
)
@click.option("--reason", required=True, help="Printed on the credit note.")
@as_json
@on_database
def create(settings: Settings, statement_id: UUID, lines: Sequence[LineAmount], reason: str, as_json: bool) -> None:
    """Take back amounts of a frozen statement's lines, or without --line all that is left of it."""

    async def work(session: Session) -> bytes:
        found = await session.database.run(find_frozen, None, statement_id)
        actor = await acting_for_seller(session, found.seller_id)
        async with open_services(session, settings) as services:
            made = await actions.issue_credit_note(
                services, actor, statement_id, list(lines) or None, reason, session.now, waits=True
            )
        return json.dumps(made.document(day_of(session.now)), ensure_ascii=False).encode()

    show_statement(run(settings, work), as_json=as_json)
