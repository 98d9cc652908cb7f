"""What buyers are charged for a month: their use, terms and prices are read and rated.

The ids are those that the caller has found in its scope; `seller_id` is whose prices count.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tonnage.billing import month_queries
from tonnage.billing.charges import BuyerMonths, Charges
from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month import BuyerMonth, Capacity, Lifetime, Month, Span, SubjectMonth, raised
from tonnage.billing.month_net import MonthNet, PricedSeller, net_of, nets_of
from tonnage.billing.month_prices import CurrencyConflict, priced_buyer, prices_by_day, with_excess
from tonnage.billing.rating import Rating, rate
from tonnage.db import Connection
from tonnage.price_books.assignment import SubjectKind, fitting
from tonnage.price_books.lists import price_sources
from tonnage.price_books.price_sources import AssumedVersion
from tonnage.price_books.version import MinimumPool, Prices

Id = TypeVar("Id", UUID, int)

PARTNERS_AT_ONCE = 500
"""Of a contract so many are read and rated before the next, so that memory does not grow with their number."""


@dataclass(frozen=True, slots=True)
class _Needed:
    """What is only read if prices depend on it."""

    egress: bool
    accounts: bool

    @classmethod
    def by(cls, buyers: Iterable[BuyerMonth]) -> "_Needed":
        used: set[Prices] = {
            span.value for buyer in buyers for prices in buyer.prices.values() for span in prices if span.value
        }
        minimums = [prices.pay_per_use_minimum for prices in used]
        return cls(
            any(prices.egress_per_gb is not None for prices in used),
            any(minimum is not None and minimum.pool is MinimumPool.ACCOUNT for minimum in minimums),
        )


async def contract_buyer(
    conn: Connection, operator_id: UUID, contract_id: UUID, month: Month, assumed: AssumedVersion | None = None
) -> BuyerMonth:
    """A contract, and what its distributor pays for it. The contract exists; it may be closed."""
    found = await month_queries.contract_month(conn, contract_id, month)
    reserved = [Span(span.first, span.until, Capacity(contract_id, span.value.reserved)) for span in found.terms]
    sources = await price_sources(conn, operator_id, contract_ids=[contract_id], assumed=assumed)
    default = fitting(sources.default, found.currency)
    of_book = prices_by_day(sources, sources.of(contract_id), default, month, found.lifetime.closed)
    prices = with_excess(of_book, [Span(span.first, span.until, span.value.price) for span in found.terms])
    by_contract: dict[UUID | None, Sequence[Span[Prices | None]]] = {contract_id: prices}
    return BuyerMonth(contract_id, month, found.currency, found.lifetime.cut(reserved), by_contract)


async def contract_subjects(conn: Connection, buyer: BuyerMonth) -> AsyncGenerator[SubjectMonth]:
    """The partners that were under a contract, in order of id."""
    contract_id, after = UUID(str(buyer.id)), None
    while partners := await month_queries.partners_under(conn, contract_id, buyer.month, after, PARTNERS_AT_ONCE):
        for subject in await partner_subjects(conn, buyer, partners):
            yield subject
        after = partners[-1]


async def partner_subjects(conn: Connection, buyer: BuyerMonth, partner_ids: Sequence[UUID]) -> list[SubjectMonth]:
    """Some of the partners under a contract."""
    month = buyer.month
    capacities = await month_queries.partner_capacities(conn, partner_ids, month)
    lifetimes = await month_queries.partner_lifetimes(conn, partner_ids, month)
    # An override takes its capacity of what the contract reserves, as an allocation does.
    overrides = await month_queries.overrides_of_partners(conn, partner_ids, month, free_only=False)
    return await _partners(conn, _raised(capacities, overrides), lifetimes, month, _Needed.by([buyer]))


async def charge_contract(
    conn: Connection, operator_id: UUID, contract_id: UUID, month: Month, assumed: AssumedVersion | None = None
) -> Charges:
    """What the distributor is charged for a contract."""
    buyer = await contract_buyer(conn, operator_id, contract_id, month, assumed)
    rating = Rating(buyer)
    async for subject in contract_subjects(conn, buyer):
        rating.add(subject)
    return Charges(buyer, rating.lines())


async def charge_for_partner(conn: Connection, operator_id: UUID, partner_id: UUID, month: Month) -> list[Line]:
    """The lines about a partner, of the statements of the contracts that it was under. Where prices depend on the
    quantity of a contract, use has no line of a single partner."""
    capacities = await month_queries.partner_capacities(conn, [partner_id], month)
    contracts = {span.value.contract_id for span in capacities.get(partner_id, ())}
    lines: list[Line] = []
    for contract_id in sorted(one for one in contracts if one):
        buyer = await contract_buyer(conn, operator_id, contract_id, month)
        lines += rate(buyer, await partner_subjects(conn, buyer, [partner_id]))
    return [line for line in lines if line.subject_id == partner_id]


async def partner_months(
    conn: Connection,
    seller_id: UUID,
    partner_ids: Sequence[UUID],
    month: Month,
    assumed: AssumedVersion | None = None,
) -> BuyerMonths:
    """What a distributor's charges of partners are rated from."""
    capacities = await month_queries.partner_capacities(conn, partner_ids, month)
    contracts = {span.value.contract_id for of_partner in capacities.values() for span in of_partner}
    under = [one for one in contracts if one]
    sources = await price_sources(conn, seller_id, contract_ids=under, partner_ids=partner_ids, assumed=assumed)
    lifetimes = await month_queries.partner_lifetimes(conn, partner_ids, month)
    buyers = [
        priced_buyer(sources, partner, (partner,), of_partner, lifetimes[partner], month)
        for partner, of_partner in capacities.items()
    ]
    priced = {buyer.id: buyer for buyer in buyers if isinstance(buyer, BuyerMonth)}
    of_priced = {partner: spans for partner, spans in capacities.items() if partner in priced}
    overrides = await month_queries.overrides_of_partners(conn, list(of_priced), month, free_only=True)
    subjects = await _partners(conn, _raised(of_priced, overrides), lifetimes, month, _Needed.by(priced.values()))
    return BuyerMonths([(priced[subject.id], subject) for subject in subjects], _conflicts(buyers))


async def account_months(
    conn: Connection,
    seller_id: UUID,
    account_ids: Sequence[int],
    month: Month,
    assumed: AssumedVersion | None = None,
) -> BuyerMonths:
    """What a partner's charges of storage accounts are rated from."""
    capacities = await month_queries.account_capacities(conn, account_ids, month)
    sources = await price_sources(conn, seller_id, partner_ids=[seller_id], account_ids=account_ids, assumed=assumed)
    uses = await month_queries.use_of_accounts(conn, account_ids, month)
    buyers = [
        priced_buyer(sources, account, (account, seller_id), capacities[account], use.lifetime, month)
        for account, use in uses.items()
    ]
    priced = {buyer.id: buyer for buyer in buyers if isinstance(buyer, BuyerMonth)}
    of_priced = [account for account in uses if account in priced]
    needed = _Needed.by(priced.values())
    egress = await month_queries.egress_of_accounts(conn, of_priced, month) if needed.egress else {}
    within = _raised(capacities, await month_queries.free_overrides_of_accounts(conn, of_priced, month))
    subjects = [
        SubjectMonth(account, uses[account].usage, within[account], uses[account].lifetime, egress.get(account, ()))
        for account in of_priced
    ]
    return BuyerMonths([(priced[subject.id], subject) for subject in subjects], _conflicts(buyers))


async def month_nets(
    conn: Connection,
    seller: PricedSeller,
    ids: Sequence[SubjectId],
    month: Month,
    assumed: AssumedVersion | None = None,
) -> list[MonthNet]:
    """What buyers of the seller are charged in all, in the order of the ids; or what they would be, with an assumed
    version in place."""
    organisations = [one for one in ids if isinstance(one, UUID)]
    match seller.buyers:
        case SubjectKind.CONTRACT:
            return [net_of(await charge_contract(conn, seller.id, one, month, assumed)) for one in organisations]
        case SubjectKind.PARTNER:
            return nets_of(ids, await partner_months(conn, seller.id, organisations, month, assumed))
        case SubjectKind.ACCOUNT:
            accounts = [one for one in ids if isinstance(one, int)]
            return nets_of(ids, await account_months(conn, seller.id, accounts, month, assumed))


def _raised(
    capacities: Mapping[Id, list[Span[Capacity]]], overrides: Mapping[Id, list[Span[int]]]
) -> dict[Id, list[Span[Capacity]]]:
    """What use is compared with: the price of what is reserved is that of the allocation alone."""
    return {one: raised(spans, overrides[one]) if one in overrides else spans for one, spans in capacities.items()}


def _conflicts(buyers: Iterable[BuyerMonth | CurrencyConflict | None]) -> list[CurrencyConflict]:
    return [buyer for buyer in buyers if isinstance(buyer, CurrencyConflict)]


async def _partners(
    conn: Connection,
    capacities: dict[UUID, list[Span[Capacity]]],
    lifetimes: dict[UUID, Lifetime],
    month: Month,
    needed: _Needed,
) -> list[SubjectMonth]:
    ids = list(capacities)
    usage = await month_queries.use_of_partners(conn, ids, month)
    egress = await month_queries.egress_of_partners(conn, ids, month) if needed.egress else {}
    accounts = await month_queries.accounts_of_partners(conn, ids, month) if needed.accounts else {}
    return [
        SubjectMonth(
            partner,
            usage[partner],
            of_partner,
            lifetimes[partner],
            egress.get(partner, ()),
            accounts.get(partner, ()),
        )
        for partner, of_partner in capacities.items()
    ]
