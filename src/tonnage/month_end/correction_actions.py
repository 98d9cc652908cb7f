"""Corrects frozen months: what is charged otherwise now is added to the buyer's next statement."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from tonnage.access.actor import Actor, Kind
from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import BuyerMonth, Month
from tonnage.credit_notes.original import Original
from tonnage.credit_notes.queries import original_of
from tonnage.db import Connection
from tonnage.money import Money, total
from tonnage.month_end import correction_queries, freezing_queries
from tonnage.month_end.computed import Computed
from tonnage.month_end.correction import FrozenStatement
from tonnage.month_end.rated import Inputs, Rated, StoredSubject
from tonnage.month_end.rated_actions import RatedMonths, names_of, rate_buyers, rate_contract
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment import MonthCorrection
from tonnage.statements.adjustment_queries import insert_corrections
from tonnage.statements.frozen import StoredStatement, own_lines
from tonnage.statements.frozen_queries import stored_statements
from tonnage.statements.statement import in_order

_AT_ONCE = 500
"""Statements of partners or accounts. A contract has as many lines as partners: they are corrected one by one."""


async def correct(conn: Connection, actor: Actor, month: Month, now: datetime) -> None:
    """Computes frozen statements again of which a change is noted that the snapshot has."""
    ids = await correction_queries.take_changes(conn, actor.organisation_id, month.first)
    count, most = 0, 1 if actor.kind is Kind.OPERATOR else _AT_ONCE
    for start in range(0, len(ids), most):
        frozen = await correction_queries.frozen(conn, ids[start : start + most])
        count += await _correct(conn, actor, frozen, month, now)
    if count:
        await correction_queries.audit_corrections(conn, actor.organisation_id, month.first, count, actor.stamp)


async def _correct(
    conn: Connection, actor: Actor, frozen: Mapping[SubjectId, FrozenStatement], month: Month, now: datetime
) -> int:
    before = await stored_statements(conn, [one.latest_id for one in frozen.values()])
    months = await _rated(conn, actor, list(frozen), month)
    again = {rated.inputs.buyer.id: rated for rated in months.rated}
    conflicting = [one.buyer for buyer_id, one in frozen.items() if buyer_id in months.conflicts]
    await correction_queries.note_again(conn, actor.organisation_id, month.first, conflicting)
    names = await names_of(conn, [one.buyer for one in frozen.values()], again.values())
    originals = {
        one.id: await original_of(conn, actor.organisation_id, one.id) for one in frozen.values() if one.is_credited
    }
    corrections: list[MonthCorrection] = []
    computed: dict[str, list[Computed]] = {}
    subjects: list[StoredSubject] = []
    for buyer_id, one in frozen.items():
        if buyer_id in months.conflicts:
            continue
        stored = before[one.latest_id]
        rated = again.get(buyer_id) or _nothing(buyer_id, stored, month)
        # By the names that the statement has: who is renamed is charged no otherwise.
        named = {**names, **{line.subject_id: name for line, name in zip(stored.lines, stored.names, strict=True)}}
        lines = in_order(rated.lines, named)
        if lines != own_lines(stored):
            subjects += rated.subjects
            computed.setdefault(one.design, []).append(_computed(rated, one, lines, named))
            corrections += _differences(one, stored, rated, month, originals.get(one.id))
        elif one.buyer.kind is SubjectKind.CONTRACT:
            await freezing_queries.delete_subjects(conn, rated.inputs.statement_id)
    await freezing_queries.insert_subjects(conn, subjects)
    for design, of_design in computed.items():
        await freezing_queries.insert_computed(conn, of_design, month.first, design, now)
    await insert_corrections(conn, corrections, now)
    return len(corrections)


async def insert_first_corrections(
    conn: Connection, computed: Sequence[Computed], first: date, design: str, now: datetime
) -> int:
    """Of buyers that had nothing to pay when the month that begins on `first` was frozen: what they are charged for it
    now becomes adjustments, and what is charged otherwise later is the difference to that. Returns how many."""
    corrections: list[MonthCorrection] = []
    found: list[Computed] = []
    for one in computed:
        if one.currency is None or one.net is None:
            continue  # its prices are in several currencies, so that nobody knows what it is charged
        document: dict[str, Any] = {**one.document, "taxes": [], "taxWarning": None}
        found.append(
            replace(one, document=document, payment_term_days=None, blocked=None, gross=one.net, corrects=one.id)
        )
        if one.net:
            corrections.append(MonthCorrection(one.buyer, first, one.id, Money(one.net, one.currency), None))
    await freezing_queries.insert_computed(conn, found, first, design, now)
    await insert_corrections(conn, corrections, now)
    return len(corrections)


async def _rated(conn: Connection, actor: Actor, ids: Sequence[SubjectId], month: Month) -> RatedMonths:
    if actor.kind is not Kind.OPERATOR:
        return await rate_buyers(conn, actor.organisation_id, ids, month)
    found = [await rate_contract(conn, actor.organisation_id, UUID(str(one)), month) for one in ids]
    return RatedMonths(found, frozenset())


def _nothing(buyer_id: SubjectId, stored: StoredStatement, month: Month) -> Rated:
    """No price book applies any more."""
    return Rated(Inputs(uuid4(), BuyerMonth(buyer_id, month, stored.currency, ())), ())


def _computed(rated: Rated, frozen: FrozenStatement, lines: Sequence[Line], names: Mapping[SubjectId, str]) -> Computed:
    net = rated.net.amount
    return Computed(
        rated.inputs.statement_id,
        frozen.buyer,
        {**frozen.document, "taxes": [], "taxWarning": None},
        None,
        None,
        rated.net.currency,
        net,
        net,
        rated.inputs.written,
        rated.inputs.digest,
        lines,
        names,
        frozen.id,
    )


def _differences(
    frozen: FrozenStatement, stored: StoredStatement, rated: Rated, month: Month, original: Original | None
) -> list[MonthCorrection]:
    """What is charged more or less now. In two currencies, if the prices are in another one now. `original`: of a
    statement with credit notes, which have taken back a part of what is charged less now."""
    was = total((line.amount for line in own_lines(stored)), stored.currency)
    if original is not None and rated.net.currency == was.currency == original.statement.currency:
        amount = original.correction_to(rated.net)
        return [_correction(frozen, rated, month, amount)] if amount else []
    amounts = [rated.net - was] if rated.net.currency == was.currency else [-was, rated.net]
    return [_correction(frozen, rated, month, amount) for amount in amounts if amount]


def _correction(frozen: FrozenStatement, rated: Rated, month: Month, amount: Money) -> MonthCorrection:
    return MonthCorrection(frozen.buyer, month.first, rated.inputs.statement_id, amount, frozen.tax)
