"""Adjustments that a person makes, and how those of frozen months came about."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.db import Connection
from tonnage.errors import Invalid, NotFound, Sentence
from tonnage.statements import adjustment_queries, queries
from tonnage.statements.adjustment import NewAdjustment, no_adjustment
from tonnage.statements.frozen import StoredStatement, own_lines_document
from tonnage.statements.frozen_queries import stored_statements
from tonnage.utc import day_of


async def create_adjustment(
    conn: Connection,
    actor: Actor,
    buyer_id: SubjectId,
    amount: str,
    currency: str | None,
    reason: str,
    now: datetime,
) -> bytes:
    """Adds an amount to the next statement of a buyer of the actor; returns the adjustment as JSON.

    `currency`: that of the buyer's prices, unless it is given. NotFound: it sells to no such buyer. Invalid: see
    `NewAdjustment.read`; no currency, and the buyer has no prices in one.
    """
    buyer, new = await _new(conn, actor, buyer_id, amount, currency, reason, now)
    return await adjustment_queries.create(conn, buyer, new, now, actor.stamp)


async def create_adjustment_once(
    conn: Connection,
    actor: Actor,
    adjustment_id: UUID,
    buyer_id: SubjectId,
    amount: str,
    currency: str | None,
    reason: str,
    now: datetime,
) -> None:
    """The same with an id that is given: of a form that is sent twice there is one adjustment, the first."""
    buyer, new = await _new(conn, actor, buyer_id, amount, currency, reason, now)
    await adjustment_queries.create_once(conn, adjustment_id, buyer, new, now, actor.stamp)


async def _new(
    conn: Connection,
    actor: Actor,
    buyer_id: SubjectId,
    amount: str,
    currency: str | None,
    reason: str,
    now: datetime,
) -> tuple[Buyer, NewAdjustment]:
    buyer, priced_in = await adjustable_buyer(conn, actor, buyer_id, now)
    if currency is None and priced_in is None:
        raise Invalid.field("currency", Sentence("must be given, because the buyer has no prices today"))
    if priced_in is not None and currency not in {None, priced_in}:
        raise Invalid.field("currency", Sentence("must be {currency}, that of the buyer's prices", currency=priced_in))
    return buyer, NewAdjustment.read(amount, priced_in or currency or "", reason)


async def adjustable_buyer(
    conn: Connection, actor: Actor, buyer_id: SubjectId, now: datetime
) -> tuple[Buyer, str | None]:
    """A buyer whose next statement the actor can adjust, and the currency of its prices, if it has any today. NotFound:
    it sells to no such buyer."""
    actor.require(actor.kind, Role.ADMIN)
    buyer = await queries.find_buyer_by_id(conn, actor.organisation_id, buyer_id)
    if buyer is None or buyer.seller_id != actor.organisation_id:
        raise NotFound("You do not charge {buyer}.", buyer=str(buyer_id))
    today = day_of(now)
    return buyer, await queries.currency_of(conn, buyer, Month.of(today, today))


class FoundAdjustment(NamedTuple):
    """An adjustment, and how it came about."""

    document: dict[str, Any]
    """As JSON, without the lines."""
    before: StoredStatement | None
    """Of a frozen month: as it was, if there was a statement, and, below, as it was computed again."""
    after: StoredStatement | None


async def look_at_adjustment(conn: Connection, viewer: UUID | None, adjustment_id: UUID) -> FoundAdjustment:
    """NotFound: there is none, or others are its seller and buyer. None as viewer is the operator's command line."""
    found = await adjustment_queries.find_adjustment(conn, viewer, adjustment_id)
    if found is None:
        raise no_adjustment(str(adjustment_id))
    document: dict[str, Any] = {
        **json.loads(found.json),
        "sellerName": found.seller_name,
        "statements": await adjustment_queries.statements_with(conn, adjustment_id),
    }
    if found.after is None:
        return FoundAdjustment(document, None, None)
    if found.statement is not None:
        document |= {"statement": str(found.statement), "statementNumber": found.statement_number}
    stored = await stored_statements(conn, [one for one in (found.before, found.after) if one])
    return FoundAdjustment(document, stored[found.before] if found.before else None, stored[found.after])


async def find_adjustment(conn: Connection, viewer: UUID | None, adjustment_id: UUID) -> dict[str, Any]:
    """The same as JSON; of a frozen month with its lines before and after it was computed again."""
    found = await look_at_adjustment(conn, viewer, adjustment_id)
    if found.after is None:
        return found.document
    before = own_lines_document(found.before) if found.before else []
    lines = {"before": before, "after": own_lines_document(found.after)}
    return found.document | lines
