"""SQL of the provisioning state of storage accounts. Several accounts are locked in order of id."""

from collections.abc import Sequence
from decimal import Decimal
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.queries import EFFECTIVE
from tonnage.db import Connection, one_row
from tonnage.partners.queries import HAS_CAP
from tonnage.provisioning.quota import Pool, Share
from tonnage.provisioning.state import Applied, ProvisioningState

# `s` is a set of accounts that are not purged. A partner's pool is computed once, however many of its accounts are in
# `s`. Purged accounts are excluded by FILTER. As a WHERE condition it would match partial indexes of all accounts that
# are not purged, and without statistics the planner reads such an index whole for every partner.
_STATE: LiteralString = f"""
    , pool as materialized (
        select p.id, effective_capacity(p.allocated_capacity, p.override_capacity) as allocated_capacity,
            coalesce(p.allow_overdraft, false) as allow_overdraft, p.suspended_at, p.used,
            overdraft_cap(effective_capacity(p.allocated_capacity, p.override_capacity), p.overdraft_cap,
                p.overdraft_cap_percent) as cap,
            p.allocated_to_accounts::numeric + p.overrides_of_accounts as allocated_to_accounts,
            (select coalesce(sum(greatest(0, u.used - effective_capacity(x.allocated_capacity, x.override_capacity)))
             filter (
                where x.purged_at is null and (x.allow_overdraft or x.allocated_capacity = 0)), 0)
             from storage_account x cross join lateral (
                select used from account_usage where account_id = x.id offset 0) u
             where x.partner_id = p.id
            )::numeric as excess
        from partner p where p.id in (select partner_id from s)
    )
    select s.id, s.desired_revision, s.applied_revision, s.apply_attempts,
        s.rejected_revision is not distinct from s.desired_revision, s.quota, s.name, s.contact_email,
        -- Its own suspension, or that of its partner: the only place that decides what a cluster has to do.
        num_nonnulls(s.suspended_at, pool.suspended_at) > 0,
        s.pending_deleted_at, {EFFECTIVE}, s.allow_overdraft, u.used,
        s.pending_deleted_at is not null, s.override_capacity is not null,
        overdraft_cap({EFFECTIVE}, s.overdraft_cap, s.overdraft_cap_percent),
        pool.allocated_capacity, pool.allow_overdraft, pool.allocated_to_accounts, pool.excess, pool.used, pool.cap,
        s.cluster_user
    from s join pool on pool.id = s.partner_id join account_usage u on u.account_id = s.id
    order by s.id"""

_PRESENT: LiteralString = "purged_at is null and purge_started_at is null"


async def pending(conn: Connection, region_id: int, after: int, limit: int) -> list[ProvisioningState]:
    """Pending accounts of a region, after the id `after`, without those that the cluster refuses in their present
    state."""
    return await _states(
        conn,
        f"""
        with s as materialized (
            select * from storage_account
            where region_id = %(region)s and id > %(after)s and {_PRESENT} and applied_revision < desired_revision
                and rejected_revision is distinct from desired_revision
            order by id limit %(limit)s
        )
        {_STATE}""",
        {"region": region_id, "after": after, "limit": limit},
    )


async def present(conn: Connection, region_id: int, after: int, limit: int) -> list[ProvisioningState]:
    """Accounts of a region, after the id `after`, that should exist on its cluster."""
    return await _states(
        conn,
        f"""
        with s as materialized (
            select * from storage_account
            where region_id = %(region)s and id > %(after)s and {_PRESENT} order by id limit %(limit)s
        )
        {_STATE}""",
        {"region": region_id, "after": after, "limit": limit},
    )


async def state_of(conn: Connection, account_id: int) -> ProvisioningState | None:
    """One account; None if it should not exist on a cluster (any more)."""
    found = await _states(
        conn,
        f"""
        with s as materialized (select * from storage_account where id = %(id)s and {_PRESENT})
        {_STATE}""",
        {"id": account_id},
    )
    return found[0] if found else None


_ELASTIC: LiteralString = "(allow_overdraft or allocated_capacity = 0)"


async def pooled(conn: Connection, partner_ids: Sequence[UUID], after: int, limit: int) -> list[ProvisioningState]:
    """Accounts of these partners on clusters whose quota depends on the use of others, after the id `after`."""
    return await _states(
        conn,
        f"""
        with s as materialized (
            select * from storage_account
            where partner_id = any(%(partners)s) and id > %(after)s and {_PRESENT}
                and ({_ELASTIC} or partner_id in (select id from partner p where {HAS_CAP.format("p")}))
                and region_id in (select id from region where backend <> 'metered')
            order by id limit %(limit)s
        )
        {_STATE}""",
        {"partners": list(partner_ids), "after": after, "limit": limit},
    )


async def partners_with_pool(conn: Connection, region_id: int) -> list[UUID]:
    """The partners with an account in the region whose quota depends on usage: they have an allocation and no
    overdraft, or a cap.
    """
    cursor = await conn.execute(
        f"""
        select p.id from partner p
        where p.allocated_capacity > 0 and not coalesce(p.allow_overdraft, false) and p.id in (
                select partner_id from storage_account where region_id = %(region)s and {_PRESENT} and {_ELASTIC})
            or {HAS_CAP.format("p")} and p.id in (
                select partner_id from storage_account where region_id = %(region)s and {_PRESENT})
        order by p.id
        """,
        {"region": region_id},
    )
    return [partner_id for (partner_id,) in await cursor.fetchall()]


async def _states(conn: Connection, text: LiteralString, params: dict[str, object]) -> list[ProvisioningState]:
    cursor = await conn.execute(text, params)
    return [
        ProvisioningState(
            *row[:10],
            share=Share(*row[10:15], cap=_whole(row[15])),
            pool=Pool(row[16], row[17], int(row[18]), int(row[19]), int(row[20]), _whole(row[21])),
            uid=row[22],
        )
        for row in await cursor.fetchall()
    ]


def _whole(size: Decimal | None) -> int | None:
    return None if size is None else int(size)


class RecordedApply(NamedTuple):
    """The result of `record_applied`. `leaving`: the purge has started. `overtaken`: applied concurrently by another
    worker."""

    account_id: int
    leaving: bool
    overtaken: bool


async def record_applied(conn: Connection, applied: Sequence[Applied]) -> list[RecordedApply]:
    """Records what was applied to the cluster.

    Two workers may have applied the same account at once, in unknown order. The second one to record sees that
    `apply_attempts` is not what it had read, and leaves the account pending, so that it is applied again.
    """
    cursor = await conn.execute(
        """
        with applied as (
            select * from unnest(
                %(ids)s::bigint[], %(revisions)s::bigint[], %(quotas)s::bigint[], %(apply_attempts)s::bigint[]
            ) as t (id, revision, quota, apply_attempts)
        ), old as (
            select s.id, s.desired_revision, s.apply_attempts, s.purge_started_at is not null as leaving
            from storage_account s where s.id in (select id from applied) order by s.id for no key update of s
        ), recorded as (
            update storage_account s set quota = applied.quota, apply_attempts = old.apply_attempts + 1,
                applied_revision = case when old.apply_attempts = applied.apply_attempts
                    then applied.revision else least(applied.revision, old.desired_revision - 1) end,
                rejected_revision = null, rejection_reason = null
            from applied join old using (id) where s.id = old.id and not old.leaving
        )
        select old.id, old.leaving, old.apply_attempts <> applied.apply_attempts from applied join old using (id)
        """,
        {
            "ids": [one.account_id for one in applied],
            "revisions": [one.revision for one in applied],
            "quotas": [one.quota for one in applied],
            "apply_attempts": [one.apply_attempts for one in applied],
        },
    )
    return [RecordedApply(*row) for row in await cursor.fetchall()]


async def record_refusal(conn: Connection, account_id: int, revision: int, reason: str) -> None:
    """Records why the cluster refuses an account in its present state. The next change of it is tried again."""
    await conn.execute(
        """
        update storage_account set rejected_revision = %(revision)s, rejection_reason = %(reason)s
        where id = %(id)s and desired_revision = %(revision)s and purged_at is null
        """,
        {"id": account_id, "revision": revision, "reason": reason},
    )


async def mark_needs_apply(conn: Connection, account_ids: Sequence[int]) -> list[int]:
    """Marks accounts as pending; returns the regions concerned."""
    cursor = await conn.execute(
        f"""
        with locked as (
            select id from storage_account where id = any(%s) and {_PRESENT} order by id for no key update
        ), s as (
            update storage_account s set desired_revision = s.desired_revision + 1 from locked where s.id = locked.id
            returning s.region_id
        )
        select distinct region_id from s order by region_id
        """,
        [list(account_ids)],
    )
    return [region_id for (region_id,) in await cursor.fetchall()]


class MarkedPart(NamedTuple):
    """A part of the accounts of some partners that was marked."""

    accounts: int
    last_partner: UUID | None
    last: int | None
    """Where the next part begins."""
    regions: list[int]


async def mark_accounts_of(
    conn: Connection, partner_ids: Sequence[UUID], after: tuple[UUID | None, int | None], most: int
) -> MarkedPart:
    """Marks the next `most` accounts of these partners as pending, without those whose state on the cluster does not
    depend on it: suspended by themselves, or metered only. `after`: a partner, and a place among its accounts."""
    cursor = await conn.execute(
        f"""
        with part as materialized (
            select a.* from unnest(%(partners)s::uuid[]) as p (id) cross join lateral (
                select s.id, s.partner_id, s.seq from storage_account s where s.partner_id = p.id
                    and s.seq > case when p.id = %(after_partner)s then %(after)s else 0 end
                order by s.seq limit %(most)s) a
            where coalesce(p.id >= %(after_partner)s, true)
            order by a.partner_id, a.seq limit %(most)s
        ), locked as (
            select s.id from storage_account s
            where s.id in (select id from part) and {_PRESENT} and s.suspended_at is null
                and s.region_id in (select id from region where backend <> 'metered')
            order by s.id for no key update of s
        ), s as (
            update storage_account s set desired_revision = s.desired_revision + 1 from locked where s.id = locked.id
            returning s.region_id
        ), last as (select partner_id, seq from part order by partner_id desc, seq desc limit 1)
        select (select count(*) from part), (select partner_id from last), (select seq from last),
            array(select distinct region_id from s order by region_id)
        """,
        {"partners": list(partner_ids), "after_partner": after[0], "after": after[1], "most": most},
    )
    return MarkedPart(*await one_row(cursor))
