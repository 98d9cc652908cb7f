"""Computes the stored nets. Each batch is read, rated and written in one transaction that sees one moment; so runs at
the same time, and one that was killed, leave right nets."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from tonnage.billing import month_net_queries as queries
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.billing.month_net import BuyerFilter, PricedSeller
from tonnage.billing.queries import month_nets
from tonnage.db import Connection, Database
from tonnage.db.snapshot import take_snapshot
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.queries import every_book
from tonnage.utc import day_of, month_before

_SELLERS_AT_ONCE = 1000
_AT_ONCE = {SubjectKind.CONTRACT: 1, SubjectKind.PARTNER: 200, SubjectKind.ACCOUNT: 200}
"""Buyers of a transaction. A contract is rated with all of its partners."""

_LOOK_BACK = timedelta(minutes=5)
"""Changes that are older have waited for a run of `compute_running`, which comes every hour."""


async def compute_running(database: Database, now: datetime) -> None:
    """The nets of the running month, of all buyers."""
    await _compute_month(database, day_of(now).replace(day=1), now)


async def compute_last(database: Database, now: datetime) -> None:
    """Those of the month before, which still change with late readings; older ones are deleted."""
    last = month_before(day_of(now))
    await _compute_month(database, last, now)
    await database.run(queries.delete_before, last)


async def compute_changed(database: Database, now: datetime) -> None:
    """Those of the buyers whose terms or prices were changed within the last minutes, in both months. What a partner's
    change does to its contract's net comes with the next run for all."""
    first, since = day_of(now).replace(day=1), now - _LOOK_BACK
    months = [Month.of(one, day_of(now)) for one in (first, month_before(first))]
    for seller, changed_at in await database.run(queries.changed_prices, since):
        for month in months:
            await _compute(database, seller, month, now, BuyerFilter(before=changed_at + queries.COMMITTED))
    for month in months:
        found = await database.run(queries.changed_buyers, month.first, since)
        for seller, changed in groupby(found, key=lambda one: one.seller):
            await compute_buyers(database, seller, [one.id for one in changed], month, now)


async def compute_partner(database: Database, distributor_id: UUID, partner_id: UUID, now: datetime) -> None:
    """What a partner pays in both months, at once: terms that apply from an earlier day are not among those that
    `compute_changed` finds."""
    if not await database.run(every_book, distributor_id):
        return  # as the jobs: who has no prices charges nothing
    today = day_of(now)
    seller = PricedSeller(0, distributor_id, SubjectKind.PARTNER)
    for first in (today.replace(day=1), month_before(today)):
        await compute_buyers(database, seller, [partner_id], Month.of(first, today), now)


async def compute_buyers(
    database: Database, seller: PricedSeller, ids: Sequence[SubjectId], month: Month, now: datetime
) -> None:
    """Those of some buyers of a seller, as far as they existed in the month."""
    await _compute(database, seller, month, now, BuyerFilter(ids=ids))


async def _compute_month(database: Database, first: date, now: datetime) -> None:
    month = Month.of(first, day_of(now))
    async for some in database.pages(queries.sellers, id_of=_seq, size=_SELLERS_AT_ONCE):
        for seller in some:
            await _compute(database, seller, month, now, BuyerFilter())


def _seq(seller: PricedSeller) -> int:
    return seller.seq


async def _compute(database: Database, seller: PricedSeller, month: Month, now: datetime, chosen: BuyerFilter) -> None:
    after: SubjectId | None = None
    while ids := await database.transaction(_compute_next, seller, month, now, chosen, after):
        after = ids[-1]


async def _compute_next(
    conn: Connection, seller: PricedSeller, month: Month, now: datetime, chosen: BuyerFilter, after: SubjectId | None
) -> list[SubjectId]:
    await take_snapshot(conn, writes=True)
    ids = await queries.buyers_in(conn, seller, month.first, chosen, after, _AT_ONCE[seller.buyers])
    if ids:
        await queries.store(conn, seller, month.first, await month_nets(conn, seller, ids, month), now)
    return ids
