"""Statements: drafts of them, frozen ones with their working, their verification, and their payment."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.billing.buyer import Buyer, DraftId, no_statement, require_begun
from tonnage.billing.month import BuyerMonth, Month, SubjectMonth
from tonnage.billing.month_prices import CurrencyConflict
from tonnage.billing.month_record import read_buyer, read_subject
from tonnage.db import Connection, Database
from tonnage.db.snapshot import take_snapshot
from tonnage.documents.actions import render
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid, NotFound, Sentence
from tonnage.jobs import defer
from tonnage.price_books.actions import no_subject
from tonnage.price_books.assignment import Subject
from tonnage.statements import frozen_queries, queries
from tonnage.statements.frozen import Payment, StoredStatement, require_valid
from tonnage.statements.statement import Draft, no_line, working_document
from tonnage.utc import day_of
from tonnage.workings.basis import basis_of
from tonnage.workings.queries import inputs_of, subjects_of
from tonnage.workings.working import has_days, working_of


async def draft(conn: Connection, viewer: UUID | None, subject: Subject, first: date, now: datetime) -> Draft:
    """The statement of the month that begins on `first`, as it would be now, from one snapshot: in a transaction of the
    caller that has read nothing yet.

    NotFound: the viewer is neither the buyer nor its seller (None: the operator's command line, which may see all); the
    month has not begun; nothing is sold to the buyer in it. Conflict: its prices are in several currencies.
    """
    await take_snapshot(conn)
    buyer = await queries.find_buyer(conn, viewer, subject)
    if buyer is None:
        raise no_subject(subject)
    return _existing(await _draft(conn, buyer, first, now))


async def find_draft(conn: Connection, viewer: UUID, draft_id: DraftId, now: datetime) -> Draft:
    """The same by the id of the draft."""
    return _existing((await look_at_draft(conn, viewer, draft_id, now))[1])


async def look_at_draft(
    conn: Connection, viewer: UUID, draft_id: DraftId, now: datetime
) -> tuple[Buyer, Draft | NotFound | Conflict]:
    """The buyer of a draft, and the draft, or why there is none: nothing is sold to the buyer in the month, or its
    prices are in several currencies.

    NotFound: the viewer is neither the buyer nor its seller, or the month has not begun.
    """
    await take_snapshot(conn)
    buyer = await queries.find_buyer_by_id(conn, viewer, draft_id.buyer_id)
    if buyer is None:
        raise no_statement(str(draft_id))
    return buyer, await _draft(conn, buyer, draft_id.first, now)


async def find_frozen(conn: Connection, viewer: UUID | None, statement_id: UUID) -> StoredStatement:
    """NotFound: there is none, or others are its seller and buyer. None as viewer is the operator's command line."""
    found = await frozen_queries.find_statement(conn, viewer, statement_id)
    if found is None:
        raise no_statement(str(statement_id))
    return found


async def find_document(database: Database, viewer: UUID, statement: UUID | DraftId, now: datetime) -> dict[str, Any]:
    """A statement as JSON, frozen or a draft; by the id of a draft whose month is frozen, the frozen one. NotFound and
    Conflict as for `find_frozen` and `find_draft`."""
    found = await _frozen_or_draft(database, viewer, statement)
    if isinstance(found, DraftId):
        return (await database.transaction(find_draft, viewer, found, now)).document()
    return (await database.run(find_frozen, viewer, found)).document(day_of(now))


async def find_working(
    database: Database, viewer: UUID, statement: UUID | DraftId, number: int, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, and the working of its line of that number. NotFound: it has no such line, or is a credit note: the
    lines that it takes back have a working."""
    found = await _frozen_or_draft(database, viewer, statement)
    if isinstance(found, DraftId):
        draft, subjects = await database.transaction(_behind_draft, viewer, found, number, now)
        working = _working(draft, number, draft.currency, draft.charges.buyer, subjects)
        return draft.document(), working
    stored, buyer, subjects = await database.run(_behind_frozen, viewer, found, number)
    return stored.document(day_of(now)), _working(stored, number, stored.currency, buyer, subjects)


async def _behind_draft(
    conn: Connection, viewer: UUID, draft_id: DraftId, number: int, now: datetime
) -> tuple[Draft, list[SubjectMonth]]:
    shown = await find_draft(conn, viewer, draft_id, now)
    if number > len(shown.lines):
        raise no_line(number)
    return shown, await queries.subjects_behind(conn, shown, shown.lines[number - 1])


async def _behind_frozen(
    conn: Connection, viewer: UUID, statement_id: UUID, number: int
) -> tuple[StoredStatement, BuyerMonth, list[SubjectMonth]]:
    """From what is stored with it."""
    found = await find_frozen(conn, viewer, statement_id)
    inputs = (await inputs_of(conn, [statement_id])).get(statement_id)
    if found.original_id is not None or number > len(found.lines) or inputs is None:
        raise no_line(number)
    buyer, line = read_buyer(inputs.buyer), found.lines[number - 1]
    if not has_days(line):
        return found, buyer, []
    is_whole = line.subject_id == buyer.id
    only = None if is_whole or not isinstance(line.subject_id, UUID) else line.subject_id
    return found, buyer, [read_subject(written) async for _, written in subjects_of(conn, [statement_id], only)]


def _working(
    statement: Draft | StoredStatement, number: int, currency: str, buyer: BuyerMonth, subjects: Sequence[SubjectMonth]
) -> dict[str, Any]:
    days = working_of(statement.lines[number - 1], buyer, subjects)
    basis = basis_of(number, statement.lines, statement.line, buyer, subjects, days)
    return working_document(statement.line(number), currency, buyer.month.first, days, basis)


async def _frozen_or_draft(database: Database, viewer: UUID, statement: UUID | DraftId) -> UUID | DraftId:
    if isinstance(statement, UUID):
        return statement
    return await database.run(frozen_queries.frozen_id_of, viewer, statement.buyer_id, statement.first) or statement


async def pdf_of(database: Database, viewer: UUID | None, statement_id: UUID, now: datetime) -> bytes:
    """The document of a frozen statement: the first one that was made. NotFound."""
    if (stored := await database.run(frozen_queries.stored_pdf, viewer, statement_id)) is not None:
        return stored
    found = await database.run(find_frozen, viewer, statement_id)
    design = await database.run(frozen_queries.design_of, statement_id)
    await database.run(frozen_queries.keep_pdf, statement_id, await render(found.paper(design)), now)
    kept = await database.run(frozen_queries.stored_pdf, viewer, statement_id)
    if kept is None:
        raise LookupError("a document that was stored is not there")
    return kept


async def verify_all(conn: Connection, seller_id: UUID | None) -> AsyncGenerator[tuple[int, dict[UUID, str]]]:
    """Verifies every frozen statement of a seller, or of all, some at a time: how many, and what differs."""
    async for ids in frozen_queries.frozen_ids(conn, seller_id):
        yield len(ids), await frozen_queries.verify(conn, ids)


async def pay(conn: Connection, actor: Actor, statement_id: UUID, payment: Payment) -> None:
    """Marks a statement of the actor as paid, a credit note as refunded. NotFound: it has sold no such one. Invalid:
    the day is before its month. Conflict: it is paid already, void, or taken back as a whole; or a credit note of a
    statement that is not paid."""
    actor.require(actor.kind, Role.ADMIN)
    async with conn.transaction():
        buyer = await frozen_queries.pay(conn, actor.organisation_id, statement_id, payment, actor.stamp)
        if buyer is not None:
            await defer_settled(conn, actor, buyer)
            return
    found = await frozen_queries.find_statement(conn, actor.organisation_id, statement_id)
    if found is None or found.seller_id != actor.organisation_id:
        raise no_statement(str(statement_id))
    require_valid(found)
    if payment.paid_on < found.first:
        rule = Sentence("must be {first} or later: the statement is for the month from then on", first=f"{found.first}")
        raise Invalid.field("paidOn", rule)
    if found.paid_on is None and found.original_id is not None:
        raise Conflict(
            "Credit note {number} has nothing to refund: statement {original} is not paid.",
            ConflictCode.STATEMENT_STATE,
            number=str(found.number),
            original=str(found.original_number),
        )
    if found.paid_on is None:
        raise Conflict(
            "Statement {number} has nothing left to pay: credit notes have taken back all of it.",
            ConflictCode.STATEMENT_STATE,
            number=str(found.number),
        )
    raise Conflict(
        "Statement {number} is paid already, on {day} with the reference {reference}.",
        ConflictCode.STATEMENT_PAID,
        number=str(found.number),
        day=str(found.paid_on),
        reference=str(found.payment_reference),
    )


async def defer_settled(conn: Connection, actor: Actor, buyer_id: UUID | int) -> None:
    """After a statement was paid, or taken back as a whole, in the same transaction: the suspension of a partner for
    overdue statements may end."""
    if actor.kind is Kind.DISTRIBUTOR and buyer_id != actor.organisation_id:
        await defer(conn, "suspensions.resume_settled", buyer_id)


def _existing(found: Draft | NotFound | Conflict) -> Draft:
    if isinstance(found, Draft):
        return found
    raise found


async def _draft(conn: Connection, buyer: Buyer, first: date, now: datetime) -> Draft | NotFound | Conflict:
    require_begun(first, day_of(now))
    found = await queries.draft(conn, buyer, Month.of(first, day_of(now)))
    if found is None:
        return NotFound(
            "{seller} charges {buyer} nothing in {month}: no price book applied to it.",
            seller=buyer.seller_name,
            buyer=buyer.name,
            month=f"{first:%Y-%m}",
        )
    if isinstance(found, CurrencyConflict):
        return Conflict(
            "The prices of {buyer} are in several currencies in {month}: {currencies}. Correct the assignments of "
            "price books, so that one currency applies to the whole month.",
            ConflictCode.OTHER_CURRENCY,
            buyer=buyer.name,
            month=f"{first:%Y-%m}",
            currencies=", ".join(found.currencies),
        )
    return found
