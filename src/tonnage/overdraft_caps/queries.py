"""SQL of caps of overdraft. Lock order: account, partner; see accounts/queries.py."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.queries import CHANGEABLE, CLUSTER, LIVING
from tonnage.billing.line import SubjectId
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.partners.partner import OverdraftCap
from tonnage.partners.queries import CAP_COLUMNS, HAS_CAP
from tonnage.price_books.assignment import SubjectKind

_CAP: LiteralString = """json_strip_nulls(json_build_object(
    'percent', {0}.overdraft_cap_percent, 'amount', {0}.overdraft_cap_amount::text,
    'currency', {0}.overdraft_cap_currency,
    'capacity', overdraft_cap(effective_capacity({0}.allocated_capacity, {0}.override_capacity),
        {0}.overdraft_cap, {0}.overdraft_cap_percent)))"""

_FACTS: LiteralString = """nullif(jsonb_strip_nulls(jsonb_build_object(
    'percent', {0}.overdraft_cap_percent, 'unit', case when {0}.overdraft_cap_amount is not null then 'money' end,
    'capacity', case when {0}.overdraft_cap_amount is null then {0}.overdraft_cap end)), '{{}}')"""
"""What audit entries say. An amount, or what it allows, would disclose to organisations above what a seller charges."""

_SEEN: LiteralString = """concat_ws(' ', {0}.overdraft_cap_percent || '%%', {0}.overdraft_cap_amount,
    {0}.overdraft_cap_currency, case when {0}.overdraft_cap_amount is null then {0}.overdraft_cap end)"""
"""A cap as pages have shown it, "" is none."""

_STALE: LiteralString = f"(%(expected)s::text is not null and %(expected)s::text <> {_SEEN.format('old')})"

_SET: LiteralString = """overdraft_cap = %(capacity)s::bigint, overdraft_cap_percent = %(percent)s::smallint,
            overdraft_cap_amount = %(amount)s::numeric, overdraft_cap_currency = %(currency)s::text"""

_NEW: LiteralString = f"""), new as (
        select old.id from old where not {_STALE} and (%(capacity)s::bigint is null and %(percent)s::smallint is null
                or old.allow_overdraft and old.allocated_capacity > 0
                or old.allocated_capacity = 0 and %(percent)s::smallint is null)
            and (old.overdraft_cap, old.overdraft_cap_percent, old.overdraft_cap_amount, old.overdraft_cap_currency)
                is distinct from (
                    %(capacity)s::bigint, %(percent)s::smallint, %(amount)s::numeric, %(currency)s::text)"""

_RESULT: LiteralString = f"""old.allocated_capacity = 0, coalesce(old.allow_overdraft, false), {_STALE}"""


class StoredCap(NamedTuple):
    """The result of setting or removing a cap."""

    pay_per_use: bool
    overdraft: bool
    stale: bool
    """The cap is not the expected one, so nothing was changed."""
    purging: bool
    """The account's purge has started, so nothing was changed."""
    cluster: int | None
    """The region, if there is a cluster to which the change must be applied."""
    is_changed: bool
    cap: Versioned | None
    """None: there is none now."""


_OF_ACCOUNT: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    {_NEW} and old.purge_started_at is null
    ), changed as (
        update storage_account s set {_SET},
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from new where s.id = new.id
        returning s.*
    ), a as (
        select audit(%(stamp)s, s.partner_id, 'account.set-overdraft-cap', s.id::text, {_FACTS.format("old")},
            coalesce({_FACTS.format("s")}, '{{}}') || jsonb_build_object('revision', s.revision))
        from changed s, old
    )
    select {_RESULT}, old.purge_started_at is not null, (select {CLUSTER} from changed s), exists (select from a),
        save_response(%(stamp)s, case when {HAS_CAP.format("s")} then {_CAP.format("s")} end, s.revision),
        s.revision
    from old join lateral (select * from changed union all
        select * from old where not exists (select from changed)) s on true"""

_OF_PARTNER: LiteralString = f"""
    with old as (
        select * from partner
        where id = %(partner)s and distributor_id = %(scope)s and closed_at is null
            and coalesce(revision = %(revision)s, true)
        for no key update
    {_NEW}
    ), changed as (
        update partner p set {_SET}, revision = p.revision + 1
        from new where p.id = new.id
        returning p.*
    ), a as (
        select audit(%(stamp)s, p.id, 'partner.set-overdraft-cap', p.id::text, {_FACTS.format("old")},
            coalesce({_FACTS.format("p")}, '{{}}') || jsonb_build_object('revision', p.revision))
        from changed p, old
    )
    select {_RESULT}, false, null, exists (select from a),
        save_response(%(stamp)s,
            case when {HAS_CAP.format("p")} then {_CAP.format("p")} end, p.revision),
        p.revision
    from old join lateral (select * from changed union all
        select * from old where not exists (select from changed)) p on true"""


class CapColumns(NamedTuple):
    """A cap as it is stored; all None: none."""

    capacity: int | None = None
    percent: int | None = None
    amount: Decimal | None = None
    currency: str | None = None


async def set_of_account(
    conn: Connection,
    scope: UUID,
    account_id: int,
    cap: CapColumns,
    expected: str | None,
    revision: int | None,
    stamp: str,
) -> StoredCap | None:
    """Of an account of the partner `scope`. None if there is none, or it is not in the given `revision`."""
    values = {"id": account_id, **_values(scope, scope, cap, expected, revision, stamp)}
    return await _set(conn, _OF_ACCOUNT, values)


async def set_of_partner(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    cap: CapColumns,
    expected: str | None,
    revision: int | None,
    stamp: str,
) -> StoredCap | None:
    """The same for a partner of the distributor `scope`."""
    return await _set(conn, _OF_PARTNER, _values(scope, partner_id, cap, expected, revision, stamp))


def _values(
    scope: UUID, partner_id: UUID, cap: CapColumns, expected: str | None, revision: int | None, stamp: str
) -> dict[str, object]:
    return {
        "scope": scope,
        "partner": partner_id,
        **cap._asdict(),
        "expected": expected,
        "revision": revision,
        "stamp": stamp,
    }


async def _set(conn: Connection, text: LiteralString, values: Mapping[str, object]) -> StoredCap | None:
    row = await (await conn.execute(text, values)).fetchone()
    if row is None:
        return None
    return StoredCap(*row[:6], cap=None if row[6] is None else Versioned(row[6], row[7]))


class PresentCap(NamedTuple):
    """The cap of a thing that may have none."""

    cap: OverdraftCap | None
    seen: str
    """What an action expects, so that nobody replaces a cap that was set meanwhile."""
    json: bytes
    revision: int


async def cap_of_account(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> PresentCap | None:
    """None: there is no such account of the partner within the scope."""
    return await _present(
        conn,
        f"""
        select {CAP_COLUMNS.format("s")}, {_SEEN.format("s")}, {_CAP.format("s")}::text, s.revision
        from {LIVING}
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )


async def cap_of_partner(conn: Connection, scope: UUID, partner_id: UUID) -> PresentCap | None:
    """The same for a partner. `scope` is the partner or its distributor."""
    return await _present(
        conn,
        f"""
        select {CAP_COLUMNS.format("p")}, {_SEEN.format("p")}, {_CAP.format("p")}::text, p.revision
        from partner p where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        """,
        {"partner": partner_id, "scope": scope},
    )


async def _present(conn: Connection, text: LiteralString, values: Mapping[str, object]) -> PresentCap | None:
    row = await (await conn.execute(text, values)).fetchone()
    if row is None:
        return None
    seen, json, revision = row[4:]
    return PresentCap(OverdraftCap.read(*row[:4]), seen, json.encode(), revision)


class MoneyCap(NamedTuple):
    """A cap in money, and whose it is."""

    seller_id: UUID
    buyer_id: SubjectId
    amount: Decimal
    currency: str
    capacity: int
    """Bytes, as they were computed last."""


_IN_MONEY: Mapping[SubjectKind, LiteralString] = {
    SubjectKind.PARTNER: """
        select distributor_id as seller_id, id, overdraft_cap_amount, overdraft_cap_currency, overdraft_cap
        from partner where overdraft_cap_amount is not null and closed_at is null""",
    SubjectKind.ACCOUNT: """
        select partner_id as seller_id, id, overdraft_cap_amount, overdraft_cap_currency, overdraft_cap
        from storage_account where overdraft_cap_amount is not null and purged_at is null""",
}
_ID: Mapping[SubjectKind, LiteralString] = {SubjectKind.PARTNER: "uuid", SubjectKind.ACCOUNT: "bigint"}


async def in_money(
    conn: Connection, kind: SubjectKind, after: tuple[UUID, SubjectId] | None, most: int
) -> list[MoneyCap]:
    """The next caps in money, in order of seller and buyer."""
    seller, buyer = after or (None, None)
    cursor = await conn.execute(
        f"""
        select * from ({_IN_MONEY[kind]}) c
        where %(seller)s::uuid is null or (c.seller_id, c.id) > (%(seller)s::uuid, %(buyer)s::{_ID[kind]})
        order by c.seller_id, c.id limit %(most)s
        """,
        {"seller": seller, "buyer": buyer, "most": most},
    )
    return [MoneyCap(*row) for row in await cursor.fetchall()]


_CHANGES: LiteralString = """unnest(%(ids)s::{0}[], %(amounts)s::numeric[], %(currencies)s::text[],
            %(capacities)s::bigint[]) c (id, amount, currency, capacity)"""
_SAME: LiteralString = "({0}.overdraft_cap_amount, {0}.overdraft_cap_currency) = (c.amount, c.currency)"


async def update_accounts(conn: Connection, capacities: Sequence[tuple[MoneyCap, int]]) -> list[int]:
    """Stores the bytes of accounts' caps, unless they were changed meanwhile. Returns the regions whose clusters they
    must be applied to."""
    cursor = await conn.execute(
        f"""
        with c as materialized (
            select s.id, c.capacity from storage_account s join {_CHANGES.format("bigint")} on s.id = c.id
            where {_SAME.format("s")} order by s.id for no key update of s
        ), changed as (
            update storage_account s set overdraft_cap = c.capacity, desired_revision = s.desired_revision + 1
            from c where s.id = c.id
            returning s.region_id
        )
        select distinct {CLUSTER} from changed s where {CLUSTER} is not null
        """,
        _changes(capacities),
    )
    return sorted(region for (region,) in await cursor.fetchall())


async def update_partners(conn: Connection, capacities: Sequence[tuple[MoneyCap, int]]) -> list[UUID]:
    """The same of partners. Returns those whose accounts' quotas may have changed."""
    cursor = await conn.execute(
        f"""
        with c as materialized (
            select p.id, c.capacity from partner p join {_CHANGES.format("uuid")} on p.id = c.id
            where {_SAME.format("p")} order by p.id for no key update of p
        )
        update partner p set overdraft_cap = c.capacity from c where p.id = c.id returning p.id
        """,
        _changes(capacities),
    )
    return sorted(partner for (partner,) in await cursor.fetchall())


def _changes(capacities: Sequence[tuple[MoneyCap, int]]) -> dict[str, object]:
    return {
        "ids": [cap.buyer_id for cap, _ in capacities],
        "amounts": [cap.amount for cap, _ in capacities],
        "currencies": [cap.currency for cap, _ in capacities],
        "capacities": [capacity for _, capacity in capacities],
    }
