"""Actions on caps of overdraft: sellers set and remove them; a job computes every night what caps in money allow."""

from datetime import date, datetime
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.actions import enqueue_reconcile, no_account, not_changeable, purge_started
from tonnage.accounts.extended_queries import extended_account
from tonnage.accounts.queries import one_account
from tonnage.billing.line import SubjectId
from tonnage.billing.month import Month
from tonnage.db import Connection, Database
from tonnage.db.rendered import Versioned
from tonnage.db.snapshot import take_snapshot
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, Invalid
from tonnage.jobs import defer
from tonnage.money import Money
from tonnage.organisations.organisation import no_partner
from tonnage.overdraft_caps import queries
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.overdraft_caps.queries import CapColumns, MoneyCap, PresentCap, StoredCap
from tonnage.overdraft_caps.rate_queries import read_rates
from tonnage.partners.actions import not_changeable as not_changeable_partner
from tonnage.partners.queries import one_partner
from tonnage.price_books.assignment import SubjectKind
from tonnage.utc import day_of

_AT_ONCE = 200

Id = TypeVar("Id", UUID, int)


async def set_of_account(
    conn: Connection,
    actor: Actor,
    account_id: int,
    cap: NewCap,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """Caps the overdraft or the pay-per-use of a storage account of the actor; returns the cap. Idempotent.

    Invalid: percent of pay-per-use, or more decimal places than the currency has. Conflict: there is no overdraft, the
    account has no price for what an amount limits, or its purge has started. EditConflict: the cap is not `expected`,
    as pages have shown it. PreconditionFailed: the account is not in the given `revision`.
    """
    _require_partner(actor)
    seller = actor.organisation_id
    async with conn.transaction():
        await _require_account(conn, seller, account_id)
        columns = await _columns(conn, seller, account_id, cap, day_of(now))
        found = await _store_of_account(conn, actor, account_id, columns, expected, revision)
        if found.purging:
            raise purge_started()
        return _cap_of(found, cap)


async def remove_of_account(
    conn: Connection, actor: Actor, account_id: int, *, expected: str | None = None, revision: int | None = None
) -> None:
    """Removes the cap of a storage account of the actor. Idempotent. EditConflict, PreconditionFailed: as for
    `set_of_account`."""
    _require_partner(actor)
    async with conn.transaction():
        found = await _store_of_account(conn, actor, account_id, CapColumns(), expected, revision)
        _require_seen(found)


async def set_of_partner(
    conn: Connection,
    actor: Actor,
    partner_id: UUID,
    cap: NewCap,
    now: datetime,
    *,
    expected: str | None = None,
    revision: int | None = None,
) -> Versioned:
    """The same for a partner of the actor, a distributor: the cap is of all its storage accounts together."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    seller = actor.organisation_id
    async with conn.transaction():
        if await one_partner(conn, seller, partner_id) is None:
            raise no_partner(partner_id)
        columns = await _columns(conn, seller, partner_id, cap, day_of(now))
        return _cap_of(await _store_of_partner(conn, actor, partner_id, columns, expected, revision), cap)


async def remove_of_partner(
    conn: Connection, actor: Actor, partner_id: UUID, *, expected: str | None = None, revision: int | None = None
) -> None:
    """The same as `remove_of_account`."""
    actor.require(Kind.DISTRIBUTOR, Role.STAFF)
    async with conn.transaction():
        _require_seen(await _store_of_partner(conn, actor, partner_id, CapColumns(), expected, revision))


def _require_partner(actor: Actor) -> None:
    actor.require(Kind.PARTNER, Role.STAFF)
    actor.require_for_storage(Role.STAFF)


async def _require_account(conn: Connection, partner_id: UUID, account_id: int) -> None:
    if await one_account(conn, partner_id, partner_id, account_id) is None:
        raise no_account(account_id)


async def _store_of_account(
    conn: Connection, actor: Actor, account_id: int, columns: CapColumns, expected: str | None, revision: int | None
) -> StoredCap:
    seller = actor.organisation_id
    found = await queries.set_of_account(conn, seller, account_id, columns, expected, revision, actor.stamp)
    if found is None:
        raise await not_changeable(extended_account, conn, actor, seller, account_id, revision)
    await enqueue_reconcile(conn, found.cluster)
    return found


async def _store_of_partner(
    conn: Connection, actor: Actor, partner_id: UUID, columns: CapColumns, expected: str | None, revision: int | None
) -> StoredCap:
    seller = actor.organisation_id
    found = await queries.set_of_partner(conn, seller, partner_id, columns, expected, revision, actor.stamp)
    if found is None:
        raise await not_changeable_partner(conn, seller, partner_id, revision)
    await enqueue_reconcile(conn, None, partner_id if found.is_changed else None)
    return found


async def _columns(conn: Connection, seller_id: UUID, buyer_id: SubjectId, cap: NewCap, today: date) -> CapColumns:
    if cap.amount is None:
        return CapColumns(cap.capacity, cap.percent)
    rate = (await read_rates(conn, seller_id, [buyer_id], today)).get(buyer_id)
    if rate is None:
        raise Conflict(
            "Usage beyond the allocation has no price today. Assign a price book, or set the cap in percent or bytes.",
            ConflictCode.NO_PRICE,
        )
    money = rate.money(cap.amount)
    return CapColumns(rate.bytes_for(money, Month.of(today, today)), None, money.amount, money.currency)


def _require_seen(found: StoredCap) -> None:
    if found.stale:
        raise EditConflict


def _cap_of(found: StoredCap, cap: NewCap) -> Versioned:
    _require_seen(found)
    if cap.percent is not None and found.pay_per_use:
        raise Invalid.field("percent", "pay-per-use has no allocation: set the cap in bytes or money")
    if not (found.pay_per_use or found.overdraft) or found.cap is None:
        raise Conflict("Without overdraft there is nothing to cap. Allow overdraft first.", ConflictCode.NO_OVERDRAFT)
    return found.cap


async def compute_all(database: Database, now: datetime) -> int:
    """What all caps in money allow from today to the end of the month, by what the days before today have cost. Returns
    how many have changed. One whose buyer has no price any more, or prices in another currency, stays as it is.
    """
    today, changed = day_of(now), 0
    for kind in (SubjectKind.PARTNER, SubjectKind.ACCOUNT):
        after: tuple[UUID, SubjectId] | None = None
        while caps := await database.run(queries.in_money, kind, after, _AT_ONCE):
            for seller_id, of_seller in groupby(caps, key=lambda cap: cap.seller_id):
                changed += await database.transaction(_compute, kind, seller_id, list(of_seller), today)
            after = caps[-1].seller_id, caps[-1].buyer_id
    return changed


async def _compute(conn: Connection, kind: SubjectKind, seller_id: UUID, caps: list[MoneyCap], today: date) -> int:
    await take_snapshot(conn, writes=True)
    rates = await read_rates(conn, seller_id, [cap.buyer_id for cap in caps], today)
    month, changes = Month.of(today, today), list[tuple[MoneyCap, int]]()
    for cap in caps:
        rate = rates.get(cap.buyer_id)
        if rate is not None and rate.currency == cap.currency:
            capacity = rate.bytes_for(Money(cap.amount, cap.currency), month)
            if capacity != cap.capacity:
                changes.append((cap, capacity))
    if changes and kind is SubjectKind.PARTNER:
        for partner_id in await queries.update_partners(conn, changes):
            await defer(conn, "provisioning.requota", partner_id)
    elif changes:
        for region_id in await queries.update_accounts(conn, changes):
            await defer(conn, "provisioning.reconcile", region_id)
    return len(changes)


async def cap_of_account(conn: Connection, actor: Actor, account_id: int) -> PresentCap:
    """The cap of an account of the actor, a partner: an amount is between a seller and its buyer. NotFound: there is no
    such account."""
    found = await queries.cap_of_account(conn, actor.organisation_id, actor.organisation_id, account_id)
    if found is None:
        raise no_account(account_id)
    return found


async def cap_of_partner(conn: Connection, actor: Actor, partner_id: UUID) -> PresentCap:
    """The same for a partner, which may ask for its own."""
    found = await queries.cap_of_partner(conn, actor.organisation_id, partner_id)
    if found is None:
        raise no_partner(partner_id)
    return found
