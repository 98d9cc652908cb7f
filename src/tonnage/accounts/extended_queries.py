"""SQL of storage accounts with all fields: the published ones, and region, use and state."""

from typing import LiteralString
from uuid import UUID

from tonnage.accounts.queries import LIVING, PAGE, PUBLISHED
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT, Versioned

REJECTED: LiteralString = "s.applied_revision < s.desired_revision and s.rejected_revision = s.desired_revision"
"""Whether its cluster refuses a row `s` in its present state."""

PROVISIONING: LiteralString = f"""case
        when r.backend = 'metered' then 'metered'
        when {REJECTED} then 'rejected'
        when s.applied_revision < s.desired_revision then 'pending'
        else 'done' end"""
"""The provisioning state of a row `s`; `r` is the row of its region."""

REJECTION_REASON: LiteralString = f"case when r.backend <> 'metered' and {REJECTED} then s.rejection_reason end"
"""Why the cluster refuses it, if it does."""

STATE: LiteralString = """(
    select case when cause in ('person', 'partner', 'overdue') then 'closed'
        when cause in ('deletion', 'quota') then 'no_new_data'
        when cause = 'level' then 'warned' else 'normal' end as state, cause, level
    from (
        select case when s.suspended_at is not null then 'person'
            when p.suspension_cause = 'person' then 'partner'
            when p.suspension_cause is not null then p.suspension_cause
            when s.pending_deleted_at is not null then 'deletion'
            when u.used >= s.quota then 'quota'
            when a.level is not null then 'level' end as cause, a.level
        from partner p, account_usage u,
            (select max(level) as level from alert where account_id = s.id and not of_cap) a
        where p.id = s.partner_id and u.account_id = s.id offset 0) c)"""
"""The state of a row `s`, its cause, and the highest alert level that it has reached: a lateral subquery. The cluster
enforces what it was given: its quota is the one that was applied."""

EXTENDED: LiteralString = f"""json_strip_nulls(json_build_object({PUBLISHED},
    'region', r.name, 'createdAt', to_char(s.created_at, {TIMESTAMP_FORMAT}),
    'used', (select used from account_usage where account_id = s.id),
    'objects', (select objects from account_usage where account_id = s.id),
    'measuredAt', (select to_char(measured_at, {TIMESTAMP_FORMAT}) from account_usage where account_id = s.id),
    'suspension', case when s.suspended_at is not null then json_build_object(
        'reason', s.suspension_reason, 'since', to_char(s.suspended_at, {TIMESTAMP_FORMAT})) end,
    'state', (select json_build_object('name', c.state, 'cause', c.cause,
        'level', case when c.cause = 'level' then c.level end) from {STATE} c),
    'provisioning', {PROVISIONING}, 'rejectionReason', {REJECTION_REASON}))"""
"""The JSON with all fields of rows `s` of storage_account and `r` of its region."""


async def extended_account(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> Versioned | None:
    """The account, if it is not purged."""
    cursor = await conn.execute(
        f"""
        with s as (select s.* from {LIVING})
        select {EXTENDED}, s.revision from s join region r on r.id = s.region_id
        """,
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return Versioned(*row) if row else None


def extended_accounts(scope: UUID, partner_id: UUID) -> ListQuery:
    """The accounts of a partner that are not purged, those scheduled for deletion included."""
    return ListQuery(
        f"""
        select coalesce(s.seq, 0), case when s.id is not null then {EXTENDED} end
        from {PAGE} left join region r on r.id = s.region_id
        where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        order by s.seq limit %(limit)s
        """,
        {"scope": scope, "partner": partner_id},
    )
