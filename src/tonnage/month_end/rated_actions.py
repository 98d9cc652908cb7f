"""Rates the months of buyers, and keeps what they are rated from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID, uuid4

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.billing.queries import (
    PARTNERS_AT_ONCE,
    account_months,
    contract_buyer,
    contract_subjects,
    partner_months,
)
from tonnage.billing.rating import Rating
from tonnage.db import Connection
from tonnage.month_end import freezing_queries as queries
from tonnage.month_end.rated import Inputs, Rated, StoredSubject
from tonnage.statements.queries import subject_names


class RatedMonths(NamedTuple):
    """Of partners, or of storage accounts. Those without a price book in the month are left out."""

    rated: list[Rated]
    conflicts: frozenset[SubjectId]
    """Those whose prices are in several currencies."""


async def rate_buyers(conn: Connection, seller_id: UUID, ids: Sequence[SubjectId], month: Month) -> RatedMonths:
    """Of partners, or of storage accounts."""
    partners = [one for one in ids if isinstance(one, UUID)]
    accounts = [one for one in ids if isinstance(one, int)]
    months = (
        await partner_months(conn, seller_id, partners, month)
        if partners
        else await account_months(conn, seller_id, accounts, month)
    )
    found: list[Rated] = []
    for charges in months.charges():
        inputs = Inputs(uuid4(), charges.buyer)
        found.append(Rated(inputs, charges.lines, [inputs.add(charges.subject)] if charges.subject else []))
    return RatedMonths(found, frozenset(one.buyer_id for one in months.conflicts))


async def rate_contract(conn: Connection, seller_id: UUID, contract_id: UUID, month: Month) -> Rated:
    """Its partners are read and stored some at a time."""
    contract = await contract_buyer(conn, seller_id, contract_id, month)
    rating, inputs, batch = Rating(contract), Inputs(uuid4(), contract), list[StoredSubject]()
    async for subject in contract_subjects(conn, contract):
        rating.add(subject)
        batch.append(inputs.add(subject))
        if len(batch) == PARTNERS_AT_ONCE:
            await queries.insert_subjects(conn, batch)
            batch.clear()
    await queries.insert_subjects(conn, batch)
    return Rated(inputs, rating.lines())


async def names_of(conn: Connection, buyers: Iterable[Buyer], found: Iterable[Rated]) -> Mapping[SubjectId, str]:
    """The names of buyers, and of the subjects of their lines."""
    names = {buyer.id: buyer.name for buyer in buyers}
    others = {line.subject_id for rated in found for line in rated.lines} - names.keys()
    return names | await subject_names(conn, others) if others else names
