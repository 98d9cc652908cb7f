"""Adjustments that a person makes, and how those of frozen months came about."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from tonnage.access.actor import Actor, Role
from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.db import Connection
from tonnage.errors import Invalid, NotFound, Sentence
from tonnage.statements import adjustment_queries, queries
from tonnage.statements.adjustment import NewAdjustment
from tonnage.statements.frozen import own_lines_document
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
    actor.require(actor.kind, Role.ADMIN)
    buyer = await _buyer(conn, actor, buyer_id)
    today = day_of(now)
    priced_in = await queries.currency_of(conn, buyer, Month.of(today, today))
    if currency is None and priced_in is None:
        raise Invalid.field("currency", Sentence("must be given, because the buyer has no prices today"))
    if priced_in is not None and currency not in {None, priced_in}:
        raise Invalid.field("currency", Sentence("must be {currency}, that of the buyer's prices", currency=priced_in))
    new = NewAdjustment.read(amount, priced_in or currency or "", reason)
    return await adjustment_queries.create(conn, buyer, new, now, actor.stamp)


async def _buyer(conn: Connection, actor: Actor, buyer_id: SubjectId) -> Buyer:
    found = await queries.find_buyer_by_id(conn, actor.organisation_id, buyer_id)
    if found is None or found.seller_id != actor.organisation_id:
        raise NotFound("You do not charge {buyer}.", buyer=str(buyer_id))
    return found


async def find_adjustment(conn: Connection, viewer: UUID | None, adjustment_id: UUID) -> dict[str, Any]:
    """An adjustment as JSON; of a frozen month with its lines before and after it was computed again. NotFound: there
    is none, or others are its seller and buyer. None as viewer is the operator's command line."""
    found = await adjustment_queries.find_adjustment(conn, viewer, adjustment_id)
    if found is None:
        raise NotFound("There is no adjustment {adjustment}.", adjustment=str(adjustment_id))
    shown: dict[str, Any] = json.loads(found.json)
    if found.before is None or found.after is None:
        return shown
    stored = await stored_statements(conn, [found.before, found.after])
    return shown | {
        "before": own_lines_document(stored[found.before]),
        "after": own_lines_document(stored[found.after]),
    }
