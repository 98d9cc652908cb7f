"""Computes a month: the statements of all buyers that are not frozen, as of one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from tonnage.access.actor import Actor, Kind
from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import Month, last_day_of
from tonnage.billing.queries import (
    PARTNERS_AT_ONCE,
    account_months,
    contract_buyer,
    contract_subjects,
    partner_months,
)
from tonnage.billing.rating import Rating
from tonnage.billing_profiles.queries import buyer_profiles, seller_profile
from tonnage.billing_profiles.settings_queries import logo_of, seller_settings, tax_rates
from tonnage.billing_profiles.tax import TaxBlocked
from tonnage.db import Connection
from tonnage.db.snapshot import take_snapshot
from tonnage.money import total
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.computed import (
    OTHER_CURRENCY,
    Computed,
    Inputs,
    Party,
    Seller,
    StoredSubject,
    copied,
    decide_tax,
)
from tonnage.statements.buyer import Buyer
from tonnage.statements.queries import subject_names
from tonnage.statements.statement import in_order


async def compute(conn: Connection, actor: Actor, first: date, now: datetime) -> None:
    """In a transaction that has read nothing yet. What was computed before is replaced; buyers without lines have no
    statement."""
    await take_snapshot(conn, writes=True)
    seller = await _seller(conn, actor.organisation_id)
    await queries.forget_computed(conn, seller.id, first)
    design = await queries.insert_design(conn, seller.design)
    month = Month.of(first, last_day_of(first))
    async for batch in queries.buyers_of(conn, seller.id, actor.kind, seller.name, first):
        parties = await _parties(conn, seller.id, batch)
        buyers = {buyer.id: buyer for buyer, _ in batch}
        if actor.kind is Kind.OPERATOR:
            # A contract has as many lines as partners: they are stored before those of the next are computed.
            for buyer in buyers.values():
                computed = await _of_contract(conn, seller, buyer, parties[buyer.id], month)
                await queries.insert_computed(conn, computed, first, design, now)
        else:
            computed = await _of_buyers(conn, seller, buyers, parties, month)
            await queries.insert_computed(conn, computed, first, design, now)


async def _seller(conn: Connection, seller_id: UUID) -> Seller:
    return Seller(
        seller_id,
        await queries.seller_name(conn, seller_id),
        await seller_profile(conn, seller_id),
        (await seller_settings(conn, seller_id)).settings,
        await tax_rates(conn, seller_id),
        await logo_of(conn, seller_id),
    )


async def _parties(
    conn: Connection, seller_id: UUID, batch: Sequence[tuple[Buyer, UUID | None]]
) -> dict[UUID | int, Party]:
    organisations = [organisation for _, organisation in batch if organisation]
    accounts = [buyer.id for buyer, _ in batch if isinstance(buyer.id, int)]
    profiles = await buyer_profiles(conn, seller_id, organisations, accounts)
    found: dict[UUID | int, Party] = {}
    for buyer, organisation in batch:
        kept = profiles.get(organisation or buyer.id)
        found[buyer.id] = Party(buyer.name, kept.profile, kept.payment_term_days) if kept else Party(buyer.name)
    return found


async def _of_buyers(
    conn: Connection,
    seller: Seller,
    buyers: Mapping[UUID | int, Buyer],
    parties: Mapping[UUID | int, Party],
    month: Month,
) -> list[Computed]:
    """Of partners, or of storage accounts; none for those without lines."""
    partners = [one for one in buyers if isinstance(one, UUID)]
    accounts = [one for one in buyers if isinstance(one, int)]
    months = (
        await partner_months(conn, seller.id, partners, month)
        if partners
        else await account_months(conn, seller.id, accounts, month)
    )
    charged = [charges for charges in months.charges() if charges.lines]
    names = await _names(conn, buyers.values(), (line for charges in charged for line in charges.lines))
    found = [_conflicting(seller, buyers[one.buyer_id], parties[one.buyer_id]) for one in months.conflicts]
    subjects: list[StoredSubject] = []
    for charges in charged:
        buyer = buyers[charges.buyer.id]
        inputs = Inputs(uuid4(), charges.buyer)
        if charges.subject:
            subjects.append(inputs.add(charges.subject))
        found.append(_computed(inputs, seller, buyer, parties[buyer.id], charges.lines, names))
    await queries.insert_subjects(conn, subjects)
    return found


async def _of_contract(conn: Connection, seller: Seller, buyer: Buyer, party: Party, month: Month) -> list[Computed]:
    """Its partners are read and stored some at a time. None, if it has no lines."""
    contract = await contract_buyer(conn, seller.id, UUID(str(buyer.id)), month)
    rating, inputs, batch = Rating(contract), Inputs(uuid4(), contract), list[StoredSubject]()
    async for subject in contract_subjects(conn, contract):
        rating.add(subject)
        batch.append(inputs.add(subject))
        if len(batch) == PARTNERS_AT_ONCE:
            await queries.insert_subjects(conn, batch)
            batch.clear()
    await queries.insert_subjects(conn, batch)
    lines = rating.lines()
    if not lines:
        await queries.delete_subjects(conn, inputs.statement_id)
        return []
    names = await _names(conn, [buyer], lines)
    return [_computed(inputs, seller, buyer, party, lines, names)]


async def _names(conn: Connection, buyers: Iterable[Buyer], lines: Iterable[Line]) -> Mapping[SubjectId, str]:
    subjects = {line.subject_id for line in lines}
    return await subject_names(conn, subjects) | {buyer.id: buyer.name for buyer in buyers}


def _computed(
    inputs: Inputs, seller: Seller, buyer: Buyer, party: Party, lines: Sequence[Line], names: Mapping[SubjectId, str]
) -> Computed:
    currency = inputs.buyer.currency
    net = total((line.amount for line in lines), currency)
    decision = decide_tax(seller, party, net, inputs.buyer.month.first)
    is_blocked = isinstance(decision, TaxBlocked)
    return Computed(
        inputs.statement_id,
        buyer,
        copied(seller, party, decision),
        party.payment_term_days,
        decision.reason if is_blocked else None,
        currency,
        net.amount,
        net.amount if is_blocked else net.amount + decision.amount.amount,
        inputs.written,
        inputs.digest,
        in_order(lines, names),
        names,
    )


def _conflicting(seller: Seller, buyer: Buyer, party: Party) -> Computed:
    return Computed(uuid4(), buyer, copied(seller, party, None), party.payment_term_days, OTHER_CURRENCY)
