"""SQL of timed overrides. Lock order: account, partner, contract; see accounts/queries.py and partners/queries.py.

The row of the account or the partner says which override runs, for totals and quotas: what an override adds to an
allocation is taken out of the parent. `capacity_override` keeps all of them.
"""

from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.queries import ADDED, ADDED_BEFORE, CHANGEABLE, CLUSTER, LIMITS, LIVING, POOLED
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT, Versioned
from tonnage.overrides.override import NewOverride
from tonnage.partners.queries import EFFECTIVE

OVERRIDE: LiteralString = f"""json_strip_nulls(json_build_object(
    'id', v.id, 'capacity', v.capacity, 'since', to_char(v.valid_from, {TIMESTAMP_FORMAT}),
    'until', (v.valid_until at time zone 'UTC')::date - 1, 'endedAt', to_char(v.ended_at, {TIMESTAMP_FORMAT}),
    'free', v.is_free, 'reason', v.reason))"""
"""The JSON of a row `v` of capacity_override."""

FACTS: LiteralString = """jsonb_build_object('capacity', v.capacity, 'until',
    (v.valid_until at time zone 'UTC')::date - 1, 'free', v.is_free, 'reason', v.reason)"""
"""What audit entries say of it."""

_DIFFERS: LiteralString = """(v.capacity, v.valid_until, v.is_free, v.reason)
    is distinct from (%(capacity)s::bigint, %(until)s::timestamptz, %(free)s::boolean, %(reason)s::text)"""

STALE: LiteralString = """(%(expected)s::text is not null
    and coalesce((select id::text from present), '') <> %(expected)s::text)"""
"""Whether the override that runs, in `present`, is not the expected one; "" expects that there is none."""

_INSERTED: LiteralString = "%(capacity)s, %(now)s, %(until)s, %(free)s, %(reason)s"


async def hold_account(conn: Connection, account_id: int) -> None:
    """Nobody else grants or ends an override of it until the transaction ends. A statement of its own: the next one
    sees what others have committed, an override of theirs too."""
    await conn.execute("select from storage_account where id = %s for no key update", [account_id])


async def hold_partner(conn: Connection, partner_id: UUID) -> None:
    """The same of a partner."""
    await conn.execute("select from partner where id = %s for no key update", [partner_id])


class Granted(NamedTuple):
    """The result of granting an override."""

    stale: bool
    """The override that runs is not the expected one, so nothing was changed."""
    refused: bool
    """The capacity is not more than the allocation, or there is none, so nothing was changed."""
    allocated: int
    """Bytes; 0 is pay-per-use."""
    purging: bool
    """The account's purge has started, so nothing was changed."""
    cluster: int | None
    """The region, if there is a cluster to which the change must be applied."""
    pool_changed: bool
    """Whether quotas of the partner's accounts, or of its other accounts, may change."""
    override: Versioned | None
    """With the revision of the account or the partner. None: it was not granted."""


_GRANT_TO_ACCOUNT: LiteralString = f"""
    with old as (
        select s.* from {CHANGEABLE} for no key update of s
    ), present as (
        select v.* from capacity_override v, old
        where v.account_id = old.id and v.ended_at is null and v.valid_until > %(now)s
    ), new as (
        select old.id from old left join present v on true
        where old.purge_started_at is null and old.allocated_capacity > 0
            and old.allocated_capacity < %(capacity)s::bigint and {_DIFFERS} and not {STALE}
    ), replaced as (
        update capacity_override v set ended_at = %(now)s from present, new where v.id = present.id
    ), changed as (
        update storage_account s set override_capacity = %(capacity)s, override_until = %(until)s,
            desired_revision = s.desired_revision + 1, revision = s.revision + 1
        from new where s.id = new.id
        returning s.*
    ), made as (
        insert into capacity_override as v (account_id, capacity, valid_from, valid_until, is_free, reason)
        select id, {_INSERTED} from changed
        returning v.*
    ), a as (
        select audit(%(stamp)s, s.partner_id, 'account.grant-override', s.id::text, (select {FACTS} from present v),
            {FACTS} || jsonb_build_object('revision', s.revision))
        from made v, changed s
    ), p as (
        select partner.* from partner, changed s, a where partner.id = s.partner_id for no key update of partner
    ), parent as (
        update partner set overrides_of_accounts = p.overrides_of_accounts - ({ADDED_BEFORE}) + ({ADDED}),
            allocated_to_accounts = p.allocated_to_accounts, {LIMITS}
        from p, old, changed s where partner.id = p.id
    )
    select {STALE}, old.allocated_capacity = 0 or old.allocated_capacity >= %(capacity)s::bigint,
        old.allocated_capacity,
        old.purge_started_at is not null, (select {CLUSTER} from changed s), exists (select from p where {POOLED}),
        save_response(%(stamp)s, (select {OVERRIDE} from (select * from made union all
            select * from present where not exists (select from made)) v), s.revision), s.revision
    from old left join (select id, revision from changed union all
        select id, revision from old where not exists (select from changed)) s on true"""


async def grant_to_account(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account_id: int,
    override: NewOverride,
    until: datetime,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Granted | None:
    """Grants an override until then; one that runs ends, unless it is the same. None if there is no such account, or it
    is not in the given `revision`. Constraints: as for a new allocation of the account."""
    cursor = await conn.execute(
        _GRANT_TO_ACCOUNT,
        {"id": account_id, "partner": partner_id, **_granted(scope, override, until, expected, revision, now, stamp)},
    )
    return _result(await cursor.fetchone())


_GRANT_TO_PARTNER: LiteralString = f"""
    with old as (
        select * from partner
        where id = %(id)s and distributor_id = %(scope)s and closed_at is null
            and coalesce(revision = %(revision)s, true)
        for no key update
    ), present as (
        select v.* from capacity_override v, old
        where v.partner_id = old.id and v.ended_at is null and v.valid_until > %(now)s
    ), new as (
        select old.* from old left join present v on true
        where old.allocated_capacity > 0 and old.allocated_capacity < %(capacity)s::bigint and {_DIFFERS}
            and not {STALE}
    ), replaced as (
        update capacity_override v set ended_at = %(now)s from present, new where v.id = present.id
    ), changed as (
        update partner p set override_capacity = %(capacity)s, override_until = %(until)s, revision = p.revision + 1,
            allocated_to_accounts = new.allocated_to_accounts, allocated_capacity = new.allocated_capacity,
            allow_overdraft = new.allow_overdraft, overrides_of_accounts = new.overrides_of_accounts
        from new where p.id = new.id
        returning p.*
    ), made as (
        insert into capacity_override as v (partner_id, capacity, valid_from, valid_until, is_free, reason)
        select id, {_INSERTED} from changed
        returning v.*
    ), a as (
        select audit(%(stamp)s, p.id, 'partner.grant-override', p.id::text, (select {FACTS} from present v),
            {FACTS} || jsonb_build_object('revision', p.revision))
        from made v, changed p
    ), k as (
        select contract.* from contract, changed p, a where contract.id = p.contract_id for no key update of contract
    ), parent as (
        update contract set reserved_capacity = k.reserved_capacity, allocated_capacity = k.allocated_capacity
                - effective_capacity(old.allocated_capacity, old.override_capacity) + {EFFECTIVE}
        from k, old, changed p where contract.id = k.id
    )
    select {STALE}, old.allocated_capacity = 0 or old.allocated_capacity >= %(capacity)s::bigint,
        old.allocated_capacity,
        false, null, old.account_count > 0 and exists (select from changed),
        save_response(%(stamp)s, (select {OVERRIDE} from (select * from made union all
            select * from present where not exists (select from made)) v), p.revision), p.revision
    from old left join (select id, revision from changed union all
        select id, revision from old where not exists (select from changed)) p on true"""


async def grant_to_partner(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    override: NewOverride,
    until: datetime,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> Granted | None:
    """The same for a partner of the distributor `scope`. Constraints: as for a new allocation of the partner."""
    cursor = await conn.execute(
        _GRANT_TO_PARTNER, {"id": partner_id, **_granted(scope, override, until, expected, revision, now, stamp)}
    )
    return _result(await cursor.fetchone())


def _granted(
    scope: UUID,
    override: NewOverride,
    until: datetime,
    expected: str | None,
    revision: int | None,
    now: datetime,
    stamp: str,
) -> dict[str, object]:
    return {
        "scope": scope,
        "capacity": override.capacity,
        "until": until,
        "free": override.is_free,
        "reason": override.reason,
        "expected": expected,
        "revision": revision,
        "now": now,
        "stamp": stamp,
    }


def _result(row: tuple[bool, bool, int, bool, int | None, bool, bytes | None, int] | None) -> Granted | None:
    if row is None:
        return None
    return Granted(*row[:6], override=None if row[6] is None else Versioned(row[6], row[7]))


def overrides_of_account(scope: UUID, partner_id: UUID, account_id: int) -> ListQuery:
    """All that were granted to an account, in order of their beginning; no row at all if there is no such account."""
    return ListQuery(
        f"""
        select coalesce(v.seq, 0), case when v.id is not null then {OVERRIDE} end
        from (select s.id from {LIVING}) s left join capacity_override v
            on v.account_id = s.id and (%(after)s::bigint is null or v.seq > %(after)s)
        order by v.seq limit %(limit)s
        """,
        {"scope": scope, "partner": partner_id, "id": account_id},
    )


def overrides_of_partner(scope: UUID, partner_id: UUID) -> ListQuery:
    """The same for a partner: it may ask for its own."""
    return ListQuery(
        f"""
        select coalesce(v.seq, 0), case when v.id is not null then {OVERRIDE} end
        from partner p left join capacity_override v
            on v.partner_id = p.id and (%(after)s::bigint is null or v.seq > %(after)s)
        where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        order by v.seq limit %(limit)s
        """,
        {"scope": scope, "partner": partner_id},
    )


class PresentOverride(NamedTuple):
    """An override that runs, or that has run and is not ended on the cluster yet."""

    id: UUID
    capacity: int
    """Bytes."""
    valid_from: datetime
    valid_until: datetime
    """The midnight after its last day."""
    is_free: bool
    reason: str


_PRESENT: LiteralString = "v.id, v.capacity, v.valid_from, v.valid_until, v.is_free, v.reason from capacity_override v"


async def override_of_account(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int
) -> PresentOverride | None:
    """The one whose capacity the account's quota includes. `scope` is the partner or its distributor."""
    cursor = await conn.execute(
        f"""
        select {_PRESENT} join (select s.id, s.override_until from {LIVING}) s
            on s.id = v.account_id and s.override_until = v.valid_until
        where v.ended_at is null order by v.valid_from desc limit 1
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return PresentOverride(*row) if row else None


async def override_of_partner(conn: Connection, scope: UUID | None, partner_id: UUID) -> PresentOverride | None:
    """The same for a partner. `scope` is the partner, its distributor or, for None, the operator."""
    cursor = await conn.execute(
        f"""
        select {_PRESENT} join partner p on p.id = v.partner_id and p.override_until = v.valid_until
        where p.id = %(partner)s and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
            and p.closed_at is null and v.ended_at is null
        order by v.valid_from desc limit 1
        """,
        {"partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return PresentOverride(*row) if row else None
