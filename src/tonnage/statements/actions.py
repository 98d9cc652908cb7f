"""Drafts of statements."""

from datetime import date, datetime
from uuid import UUID

from tonnage.billing.buyer import Buyer, DraftId, no_statement, require_begun
from tonnage.billing.month import Month
from tonnage.billing.month_prices import CurrencyConflict
from tonnage.billing.working import WorkingDay
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, NotFound
from tonnage.price_books.actions import no_subject
from tonnage.price_books.assignment import Subject
from tonnage.statements import queries
from tonnage.statements.statement import Statement, no_line
from tonnage.utc import day_of


async def draft(conn: Connection, viewer: UUID | None, subject: Subject, first: date, now: datetime) -> Statement:
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


async def find_draft(conn: Connection, viewer: UUID, draft_id: DraftId, now: datetime) -> Statement:
    """The same by the id of the draft."""
    return _existing((await look_at_draft(conn, viewer, draft_id, now))[1])


async def look_at_draft(
    conn: Connection, viewer: UUID, draft_id: DraftId, now: datetime
) -> tuple[Buyer, Statement | NotFound | Conflict]:
    """The buyer of a draft, and the draft, or why there is none: nothing is sold to the buyer in the month, or its
    prices are in several currencies.

    NotFound: the viewer is neither the buyer nor its seller, or the month has not begun.
    """
    await take_snapshot(conn)
    buyer = await queries.find_buyer_by_id(conn, viewer, draft_id.buyer_id)
    if buyer is None:
        raise no_statement(str(draft_id))
    return buyer, await _draft(conn, buyer, draft_id.first, now)


async def working(
    conn: Connection, viewer: UUID, draft_id: DraftId, number: int, now: datetime
) -> tuple[Statement, list[WorkingDay]]:
    """The draft, and the days of its line of that number. NotFound as for `draft`, and for no such line."""
    shown = await find_draft(conn, viewer, draft_id, now)
    if number > len(shown.lines):
        raise no_line(number)
    return shown, await queries.working(conn, shown, shown.lines[number - 1])


def _existing(found: Statement | NotFound | Conflict) -> Statement:
    if isinstance(found, Statement):
        return found
    raise found


async def _draft(conn: Connection, buyer: Buyer, first: date, now: datetime) -> Statement | NotFound | Conflict:
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
