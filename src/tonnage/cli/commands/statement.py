"""`tonnage statement`: what buyers are charged for a month."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Literal
from uuid import UUID

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_seller
from tonnage.cli.output import PrintedColumn, as_json, show_list
from tonnage.cli.param_types import DAY, MONTH, SELLER
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.services import open_services
from tonnage.cli.subject import on_subject
from tonnage.config import Settings
from tonnage.credit_notes import actions as credit_notes
from tonnage.credit_notes.queries import credited_ids
from tonnage.credit_notes.queries import verify as verify_credit_notes
from tonnage.db import Connection
from tonnage.documents.lines_csv import statement_csv
from tonnage.month_end import freezing_actions as freezing
from tonnage.month_end.freeze_progress import FreezeProgress, FreezeStage
from tonnage.month_end.freezing import FreezeResult
from tonnage.price_books.assignment import Subject
from tonnage.statements import actions
from tonnage.statements.frozen import Payment
from tonnage.statements.frozen_queries import frozen_of
from tonnage.statements.frozen_queries import verify as verify_frozen
from tonnage.statements.lists import StatementFilter, statements_of
from tonnage.utc import day_of

LINE_COLUMNS = (
    PrintedColumn("No.", "no", align="right"),
    PrintedColumn("Product", "product"),
    PrintedColumn("Subject", "subjectName"),
    PrintedColumn("From", "from"),
    PrintedColumn("To", "to"),
    PrintedColumn("GB-months", "quantityGbMonths", align="right"),
    PrintedColumn("Cents", "unitPrice", align="right"),
    PrintedColumn("Amount", "amount", align="right"),
)


_STATEMENTS = (
    PrintedColumn("Number", "number"),
    PrintedColumn("Month", "month"),
    PrintedColumn("Buyer", "buyerName"),
    PrintedColumn("State", "state"),
    PrintedColumn("Net", "net", align="right"),
    PrintedColumn("Gross", "gross", align="right"),
    PrintedColumn("Currency", "currency"),
    PrintedColumn("ID", "id"),
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
    """Show the statement of a month as it would be now: of the running month the month to date.

    Of a month that is frozen it shows the frozen statement.
    """

    async def work(session: Session) -> bytes:
        if stored := await session.database.run(frozen_of, subject, month):
            shown = stored.document(day_of(session.now))
        else:
            draft = await session.database.transaction(actions.draft, None, subject, month, session.now)
            shown = draft.document()
        return json.dumps(shown, ensure_ascii=False).encode()

    show_statement(run(settings, work), as_json=as_json)


@statement.command()
@click.option("--seller", "organisation", required=True, type=SELLER, help="The id of an organisation, or `operator`.")
@click.option("--month", required=True, type=MONTH, help="The month, such as 2026-11.")
@click.option("--incomplete", is_flag=True, help="Although a storage cluster has not been sampled since its end.")
@as_json
@on_database
def freeze(
    settings: Settings, organisation: UUID | Literal["operator"], month: date, incomplete: bool, as_json: bool
) -> None:
    """Freeze a seller's statements of a month that is over: they get their numbers, and never change again.

    Buyers whose statement cannot be frozen are listed with the reason; run it again when that is mended. What is frozen
    stays as it is.
    """

    async def work(session: Session) -> FreezeResult:
        actor = await acting_for_seller(session, organisation)
        async with open_services(session, settings) as services:
            report = _show_progress if sys.stderr.isatty() else None
            return await freezing.freeze(services, actor, month, session.now, incomplete=incomplete, report=report)

    done = run(settings, work)
    if as_json:
        click.echo(done.json())
        return
    click.echo(f"Frozen: {len(done.numbers)}" + (f", {done.numbers[0]} to {done.numbers[-1]}" if done.numbers else ""))
    for blocked in done.blocked:
        click.echo(f"Blocked: {blocked.name}: {blocked.reason}")


def _show_progress(progress: FreezeProgress) -> None:
    """In one line of the terminal, which the next one replaces."""
    what = {FreezeStage.COMPUTE: "Computed", FreezeStage.CHECK: "Checked"}[progress.stage]
    click.echo(f"\r{what} {progress.done:,} of {progress.total:,}\033[K", nl=False, err=True)
    if progress.done == progress.total and progress.stage is FreezeStage.CHECK:
        click.echo(err=True)


@statement.command("list")
@click.option("--seller", "organisation", required=True, type=SELLER, help="The id of an organisation, or `operator`.")
@click.option("--month", type=MONTH, help="Of one month, such as 2026-11.")
@as_json
@on_database
def list_(settings: Settings, organisation: UUID | Literal["operator"], month: date | None, as_json: bool) -> None:
    """List a seller's frozen statements, the newest last."""

    async def work(session: Session) -> list[bytes]:
        actor = await acting_for_seller(session, organisation)
        chosen = StatementFilter(sold=True, month=month)
        return await session.documents(statements_of(actor.organisation_id, chosen, day_of(session.now)))

    show_list(run(settings, work), _STATEMENTS, as_json=as_json)


@statement.command()
@click.argument("statement_id", type=UUID_TYPE)
@as_json
@on_database
def show(settings: Settings, statement_id: UUID, as_json: bool) -> None:
    """Show a frozen statement."""

    async def work(session: Session) -> bytes:
        return await _found(session, statement_id)

    show_statement(run(settings, work), as_json=as_json)


async def _found(session: Session, statement_id: UUID) -> bytes:
    found = await session.database.run(actions.find_frozen, None, statement_id)
    return json.dumps(found.document(day_of(session.now)), ensure_ascii=False).encode()


@statement.command()
@click.argument("statement_id", type=UUID_TYPE, required=False)
@click.option("--all", "every", is_flag=True, help="Every frozen statement of every seller.")
@as_json
@on_database
def verify(settings: Settings, statement_id: UUID | None, every: bool, as_json: bool) -> None:
    """Compute frozen statements again from the use, terms and prices that are stored with them, and their credit notes.

    Names the first line that differs, and ends with 1 then.
    """
    if (statement_id is not None) == every:
        raise click.UsageError("Give the id of a statement, or --all.")

    async def work(session: Session) -> tuple[int, list[str]]:
        async def differences(conn: Connection) -> tuple[int, list[str]]:
            if statement_id is not None:
                stored = await actions.find_frozen(conn, None, statement_id)
                of_notes = await verify_credit_notes(conn, [stored.original_id or stored.id])
                own = {} if stored.original_id else await verify_frozen(conn, [statement_id])
                return 1, [*own.values(), *of_notes.values()]
            count, found = 0, list[str]()
            async for verified, differing in actions.verify_all(conn, None):
                count += verified
                found += differing.values()
            notes = await verify_credit_notes(conn, await credited_ids(conn))
            return count, [*found, *notes.values()]

        return await session.database.run(differences)

    count, differing = run(settings, work)
    if as_json:
        click.echo(json.dumps({"verified": count, "differing": differing}, ensure_ascii=False))
    else:
        for difference in differing:
            click.echo(difference, err=True)
    if differing:
        raise click.exceptions.Exit(1)
    if as_json:
        return
    click.echo(f"Verified: {count}. All lines and sums are those that follow from the stored use, terms and prices.")


@statement.command()
@click.argument("statement_id", type=UUID_TYPE)
@click.option("--on", "paid_on", required=True, type=DAY, help="The day of the payment.")
@click.option(
    "--reference", required=True, help="What the payment can be found by, such as a line of a bank statement."
)
@as_json
@on_database
def payment(settings: Settings, statement_id: UUID, paid_on: date, reference: str, as_json: bool) -> None:
    """Mark a frozen statement as paid."""

    async def work(session: Session) -> bytes:
        found = await session.database.run(actions.find_frozen, None, statement_id)
        actor = await acting_for_seller(session, found.seller_id)
        details = Payment.read(paid_on, reference, day_of(session.now))
        await session.database.run(actions.pay, actor, statement_id, details)
        return await _found(session, statement_id)

    done = run(settings, work)
    click.echo(done if as_json else "Marked as paid.")


@statement.command()
@click.argument("statement_id", type=UUID_TYPE)
@click.option("--reason", required=True, help="For the seller and the buyer.")
@as_json
@on_database
def void(settings: Settings, statement_id: UUID, reason: str, as_json: bool) -> None:
    """Make a frozen statement void: it keeps its number, and the next freeze of its month makes another one.

    For a statement that its buyer has not booked. One that it has is taken back by a credit note.
    """

    async def work(session: Session) -> bytes:
        found = await session.database.run(actions.find_frozen, None, statement_id)
        actor = await acting_for_seller(session, found.seller_id)
        await session.database.transaction(credit_notes.void_statement, actor, statement_id, reason, session.now)
        return await _found(session, statement_id)

    done = run(settings, work)
    click.echo(done if as_json else "The statement is void.")


@statement.command()
@click.argument("statement_id", type=UUID_TYPE)
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@on_database
def document(settings: Settings, statement_id: UUID, file: Path) -> None:
    """Write a frozen statement to a file: a PDF, or its lines as CSV, by the ending of the file's name."""
    if file.suffix not in {".pdf", ".csv"}:
        raise click.BadParameter("The name of the file must end with .pdf or .csv.", param_hint="FILE")

    async def work(session: Session) -> bytes:
        if file.suffix == ".pdf":
            return await actions.pdf_of(session.database, None, statement_id, session.now)
        found = await session.database.run(actions.find_frozen, None, statement_id)
        return statement_csv(found.document(day_of(session.now)))

    file.write_bytes(run(settings, work))
    click.echo(f"Written: {file}")


def show_statement(document: bytes, *, as_json: bool) -> None:
    """Prints a statement: its lines as a table, and its sums."""
    if as_json:
        click.echo(document)
        return
    shown = json.loads(document)
    number = f"{shown['number']}, " if shown["number"] else ""
    click.echo(f"{number}{shown['sellerName']} to {shown['buyerName']}, {shown['month']}, {shown['state']}")
    if original := shown.get("originalNumber"):
        click.echo(f"Credit note of {original}" + (f": {shown['reason']}" if shown["reason"] else ""))
    if shown.get("blocked"):
        click.echo(f"It has no taxes, and cannot be frozen: {shown['blocked']}")
    if shown.get("voidedAt"):
        click.echo(f"Void since {shown['voidedAt']}: {shown['voidReason']}")
    if shown.get("credited"):
        click.echo(f"Taken back by credit notes: {shown['currency']} {shown['credited']}")
    show_list([json.dumps(line).encode() for line in shown["lines"]], LINE_COLUMNS, as_json=False)
    click.echo(f"Net: {shown['currency']} {shown['net']}")
    for tax in shown["taxes"]:
        click.echo(f"Tax {tax['category']} {tax['rate']} %: {shown['currency']} {tax['amount']}")
    click.echo(f"Gross: {shown['currency']} {shown['gross']}")
