"""Computes a month: the statements of all buyers that are not frozen, as of one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from uuid import UUID, uuid4

from tonnage.access.actor import Actor, Kind
from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing.month import BuyerMonth, Month, last_day_of
from tonnage.billing_profiles.settings import SellerSettings
from tonnage.billing_profiles.settings_queries import logo_of
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed import OTHER_CURRENCY, Computed, design_of
from tonnage.month_end.correction_actions import correct, insert_first_corrections
from tonnage.month_end.correction_queries import audit_corrections
from tonnage.month_end.freeze_progress import FreezeProgress, FreezeStage, Report
from tonnage.month_end.rated import Inputs, Rated
from tonnage.month_end.rated_actions import names_of, rate_buyers, rate_contract
from tonnage.parties.party import Party, Seller, document_of
from tonnage.parties.queries import find_seller, parties
from tonnage.statements.adjustment import Adjustment, totals_of
from tonnage.statements.adjustment_queries import open_adjustments
from tonnage.statements.statement import in_order


async def compute(
    conn: Connection, actor: Actor, first: date, now: datetime, report: Report, *, is_frozen: bool
) -> SellerSettings:
    """In a transaction that has read nothing yet. What was computed before is replaced; buyers without lines have no
    statement. Frozen statements are corrected. Returns the settings that the statements were computed with.

    `is_frozen`: the month was frozen before. Who had nothing to pay then, and has now, gets an adjustment.
    """
    await take_snapshot(conn, writes=True)
    seller = await find_seller(conn, actor.organisation_id)
    logo = await logo_of(conn, seller.id) if seller.has_logo else None
    month = Month.of(first, last_day_of(first))
    await correct(conn, actor, month, now)
    owed = await queries.owed_statements(conn, seller.id, first) if is_frozen else None
    await queries.forget_computed(conn, seller.id, first)
    design = await queries.insert_design(conn, design_of(seller.settings, logo))
    done = corrections = 0
    async with aclosing(queries.buyers_of(conn, seller.id, actor.kind, seller.name, first)) as batches:
        async for batch, count in batches:
            report(FreezeProgress(FreezeStage.COMPUTE, done, count))
            corrections += await _compute_batch(conn, actor.kind, seller, batch, month, design, now, owed)
            done += len(batch)
    if corrections:
        await audit_corrections(conn, seller.id, first, corrections, actor.stamp)
    return seller.settings


async def _compute_batch(
    conn: Connection,
    kind: Kind,
    seller: Seller,
    batch: Sequence[tuple[Buyer, UUID | None]],
    month: Month,
    design: str,
    now: datetime,
    owed: frozenset[SubjectId] | None,
) -> int:
    """How many of them got an adjustment. `owed`: the buyers that still get a statement; None: all of them."""
    first, corrections = month.first, 0
    named = await parties(conn, seller.id, batch)
    buyers = [buyer for buyer, _ in batch]
    adjustable = [buyer.id for buyer in buyers if owed is None or buyer.id in owed]
    adjusting = await open_adjustments(conn, buyers[0].kind, adjustable, first)
    if kind is Kind.OPERATOR:
        # A contract has as many lines as partners: they are stored before those of the next are computed.
        for buyer in buyers:
            rated = await rate_contract(conn, seller.id, UUID(str(buyer.id)), month)
            computed = await _computed(conn, seller, [buyer], named, [rated], adjusting)
            if not computed:
                await queries.delete_subjects(conn, rated.inputs.statement_id)
            corrections += await _insert(conn, computed, first, design, now, owed)
    else:
        computed = await _of_buyers(conn, seller, buyers, named, month, adjusting)
        corrections += await _insert(conn, computed, first, design, now, owed)
    return corrections


async def _insert(
    conn: Connection,
    computed: Sequence[Computed],
    first: date,
    design: str,
    now: datetime,
    owed: frozenset[SubjectId] | None,
) -> int:
    if owed is None:
        await queries.insert_computed(conn, computed, first, design, now)
        return 0
    statements = [one for one in computed if one.buyer.id in owed or one.currency is None]
    await queries.insert_computed(conn, statements, first, design, now)
    others = [one for one in computed if one.buyer.id not in owed]
    return await insert_first_corrections(conn, others, first, design, now)


async def _of_buyers(
    conn: Connection,
    seller: Seller,
    buyers: Sequence[Buyer],
    named: Mapping[SubjectId, Party],
    month: Month,
    adjusting: Mapping[SubjectId, Sequence[Adjustment]],
) -> list[Computed]:
    """Of partners, or of storage accounts; none for those without lines."""
    months = await rate_buyers(conn, seller.id, [buyer.id for buyer in buyers], month)
    found = [rated for rated in months.rated if rated.lines or rated.inputs.buyer.id in adjusting]
    unpriced = set(adjusting) - {rated.inputs.buyer.id for rated in found} - set(months.conflicts)
    for buyer_id in unpriced:
        charging = [one for one in adjusting[buyer_id] if one.remaining.amount > 0]
        nothing = BuyerMonth(buyer_id, month, (charging or adjusting[buyer_id])[0].remaining.currency, ())
        found.append(Rated(Inputs(uuid4(), nothing), ()))
    computed = await _computed(conn, seller, buyers, named, found, adjusting)
    kept = {one.id for one in computed}
    await queries.insert_subjects(conn, (one for rated in found for one in rated.subjects if one.statement_id in kept))
    conflicting = [buyer for buyer in buyers if buyer.id in months.conflicts]
    return computed + [_conflicting(seller, buyer, named[buyer.id]) for buyer in conflicting]


async def _computed(
    conn: Connection,
    seller: Seller,
    buyers: Iterable[Buyer],
    named: Mapping[SubjectId, Party],
    found: Sequence[Rated],
    adjusting: Mapping[SubjectId, Sequence[Adjustment]],
) -> list[Computed]:
    """With their adjustments; none for those without lines."""
    by_id = {buyer.id: buyer for buyer in buyers}
    names = await names_of(conn, by_id.values(), found)
    statements = (_statement(rated, seller, by_id[rated.inputs.buyer.id], named, adjusting, names) for rated in found)
    return [one for one in statements if one.lines]


def _statement(
    rated: Rated,
    seller: Seller,
    buyer: Buyer,
    named: Mapping[SubjectId, Party],
    adjusting: Mapping[SubjectId, Sequence[Adjustment]],
    names: Mapping[SubjectId, str],
) -> Computed:
    first, party = rated.inputs.buyer.month.first, named[buyer.id]
    totals = totals_of(seller, party, buyer.id, first, rated.net, adjusting.get(buyer.id, ()))
    return Computed(
        rated.inputs.statement_id,
        buyer,
        document_of(seller, party, totals.taxes, totals.warning),
        party.payment_term_days,
        totals.blocked,
        totals.net.currency,
        totals.net.amount,
        totals.gross.amount,
        rated.inputs.written,
        rated.inputs.digest,
        in_order([*rated.lines, *totals.adjustments], names),
        names,
    )


def _conflicting(seller: Seller, buyer: Buyer, party: Party) -> Computed:
    return Computed(uuid4(), buyer, document_of(seller, party, []), party.payment_term_days, OTHER_CURRENCY)
