"""Drafts of statements."""

from datetime import date, datetime
from uuid import UUID

from tonnage.accounts.actions import no_account
from tonnage.billing.month import Month
from tonnage.billing.month_prices import MixedPrices
from tonnage.contracts.contract import no_contract
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, NotFound
from tonnage.organisations.organisation import no_partner
from tonnage.statements import queries
from tonnage.statements.buyer import Level
from tonnage.statements.statement import Statement
from tonnage.utc import day_of


async def draft(
    conn: Connection, viewer: UUID | None, level: Level, buyer_id: UUID | int, first: date, now: datetime
) -> Statement:
    """The statement of the month that begins on `first`, as it would be now, from one snapshot: in a transaction of the
    caller that has read nothing yet.

    NotFound: the viewer is neither the buyer nor its seller; the month has not begun; nothing is sold to the buyer in
    it. Conflict: its prices are in several currencies.
    """
    await queries.begin_snapshot(conn)
    buyer = await queries.find_buyer(conn, viewer, level, buyer_id)
    if buyer is None:
        raise no_buyer(level, buyer_id)
    if day_of(now) < first:
        raise NotFound("The month {month} has not begun.", month=f"{first:%Y-%m}")
    found = await queries.draft(conn, buyer, Month.of(first, day_of(now)))
    if found is None:
        raise NotFound(
            "{seller} charges {buyer} nothing in {month}: no price book applied to it.",
            seller=buyer.seller_name,
            buyer=buyer.name,
            month=f"{first:%Y-%m}",
        )
    if isinstance(found, MixedPrices):
        raise Conflict(
            "The prices of {buyer} are in several currencies in {month}: {currencies}. Correct the assignments of "
            "price books, so that one currency applies to the whole month.",
            ConflictCode.OTHER_CURRENCY,
            buyer=buyer.name,
            month=f"{first:%Y-%m}",
            currencies=", ".join(found.currencies),
        )
    return found


def no_buyer(level: Level, buyer_id: UUID | int) -> NotFound:
    """The same for a buyer that does not exist, and one of others."""
    if isinstance(buyer_id, int):
        return no_account(buyer_id)
    return no_contract(buyer_id) if level is Level.CONTRACT else no_partner(buyer_id)
