"""SQL of storage accounts. Lock order: account, partner, contract.

`scope` is the requesting organisation, a partner or its distributor; `partner_id` is the partner that owns the account.
Parents are locked before they are updated, and every column of their CHECKs is read from the locked rows: see
partners/queries.py.
"""

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.accounts.account import NewAccount, PartnerRemaining
from tonnage.db import Connection, ListQuery
from tonnage.db.rendered import TIMESTAMP_FORMAT, Rendered, Versioned
from tonnage.email_address import email_key
from tonnage.names import name_key
from tonnage.partners.queries import HAS_CAP

PUBLISHED: LiteralString = f"""
    'clientAccountId', s.id::text, 'name', s.name, 'contactEmail', s.contact_email,
    'allocatedCapacity', s.allocated_capacity, 'allowOverdraft', s.allow_overdraft,
    'pendingDeletedAt', to_char(s.pending_deleted_at, {TIMESTAMP_FORMAT})"""
"""The published fields of a row `s` of storage_account."""

ACCOUNT: LiteralString = f"json_strip_nulls(json_build_object({PUBLISHED}))"
"""The published JSON of a row `s` of storage_account."""

CLUSTER: LiteralString = "(select r.id from region r where r.id = s.region_id and r.backend <> 'metered')"
"""The region of a row `s` if it has a cluster to which changes of the account must be applied, else null."""

BOUNDED: LiteralString = "(p.allocated_capacity > 0 and not coalesce(p.allow_overdraft, false))"
"""Whether the accounts of a row `p` of partner share a limited pool."""

POOLED: LiteralString = (
    f"(({BOUNDED} or {HAS_CAP.format('p')}) and exists (select from region where backend <> 'metered'))"
)
"""Whether, in consequence, the quota of one account on a cluster depends on the others, across all regions."""

LIVING: LiteralString = """
    storage_account s join partner p on p.id = s.partner_id
    where s.id = %(id)s and p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and s.purged_at is null"""
"""The one row `s` of the account, if not purged and within the scope. The only place that defines who may see it."""

CHANGEABLE: LiteralString = f"{LIVING} and coalesce(s.revision = %(revision)s, true)"
"""The same for a change that, if `revision` is given, is to be made in that one only."""

LIMITS: LiteralString = """allocated_capacity = p.allocated_capacity, allow_overdraft = p.allow_overdraft,
            override_capacity = p.override_capacity, override_until = p.override_until"""
"""The columns of the locked row `p` of partner that the CHECKs of its totals read, for an update of these."""

EFFECTIVE: LiteralString = "effective_capacity(s.allocated_capacity, s.override_capacity)"
"""What a row `s` takes of its partner's allocation, bytes: more than its own allocation while an override runs."""

_ADDED: LiteralString = "effective_capacity({0}.allocated_capacity, {0}.override_capacity) - {0}.allocated_capacity"

ADDED: LiteralString = _ADDED.format("s")
"""What the override of a row `s` adds to its allocation, bytes."""

ADDED_BEFORE: LiteralString = _ADDED.format("old")
"""The same of its locked row `old`."""

PAGE: LiteralString = """
    partner p left join lateral (
        select s.* from storage_account s
        where s.partner_id = p.id and s.purged_at is null and s.seq > coalesce(%(after)s::bigint, 0)
        order by s.seq limit %(limit)s
    ) s on true"""
"""A row `p` of partner with a page of its accounts `s` that are not purged, read in order from the index without
sorting.

Measured, 100 of 50,000: 1 ms instead of 140. `coalesce`, not `is null or`: so a cached generic plan can use the index
too.
"""

_INSERT: LiteralString = f"""
    with p as (
        select * from partner
        where id = %(partner)s and %(scope)s in (id, distributor_id) and closed_at is null and suspended_at is null
        for no key update
    ), s as (
        insert into storage_account (
            id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash,
            allocated_capacity, allow_overdraft, created_at, terms_since, cluster_user)
        select %(id)s, p.id, r.id, %(name)s, %(name_key)s, %(email)s, %(email_key)s, %(hash)s,
               %(allocated)s, %(overdraft)s, %(now)s, %(now)s,
               %(cluster_user)s
        from p, region r
        where p.account_count < %(most)s
            and case when %(region)s::text is null then r.is_default else r.name = %(region)s end
        returning *
    ), t as (
        insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
        select id, terms_since, allocated_capacity, allow_overdraft from s
    ), parent as (
        update partner set allocated_to_accounts = p.allocated_to_accounts + s.allocated_capacity,
            account_count = p.account_count + 1,
            overrides_of_accounts = p.overrides_of_accounts, {LIMITS}
        from s, p where partner.id = p.id
    )
    select save_response(%(stamp)s, {ACCOUNT}, s.revision), {CLUSTER}, {POOLED},
           audit(%(stamp)s, s.partner_id, 'account.create', s.id::text, null, jsonb_build_object(
               'name', s.name, 'allocatedCapacity', s.allocated_capacity, 'allowOverdraft', s.allow_overdraft,
               'revision', s.revision))
    from s, p"""


class Created(NamedTuple):
    """A new account, and what has to be reconciled."""

    account: Rendered[int]
    cluster: int | None
    """The region, if there is a cluster behind it."""
    bounded: bool
    """Whether the quotas of the partner's other accounts may shrink."""


async def insert_account(
    conn: Connection,
    scope: UUID,
    partner_id: UUID,
    account: NewAccount,
    account_id: int,
    most: int,
    now: datetime,
    stamp: str,
) -> Created | None:
    """None if `scope` has no such open partner, it is suspended, it has `most` accounts, or there is no such region.

    Constraints: storage_account_email, taken; partner_allocated_to_accounts or overflow, not enough of the partner's
    allocation left; storage_account_pkey, retry with another id; storage_account_adopted, the user of the cluster is
    an account already.
    """
    cursor = await conn.execute(
        _INSERT,
        {
            "partner": partner_id,
            "scope": scope,
            "id": account_id,
            "name": account.name,
            "name_key": name_key(account.name),
            "email": account.contact_email,
            "email_key": email_key(account.contact_email),
            "hash": account.password_hash,
            "allocated": account.allocated_capacity,
            "overdraft": account.allow_overdraft,
            "region": account.region,
            "cluster_user": account.cluster_user,
            "most": most,
            "now": now,
            "stamp": stamp,
        },
    )
    row = await cursor.fetchone()
    return Created(Rendered(account_id, row[0]), *row[1:3]) if row else None


async def one_account(conn: Connection, scope: UUID, partner_id: UUID, account_id: int) -> Versioned | None:
    """The account, if it is not purged."""
    cursor = await conn.execute(
        f"select {ACCOUNT}, s.revision from {LIVING}",
        {"id": account_id, "partner": partner_id, "scope": scope},
    )
    row = await cursor.fetchone()
    return Versioned(*row) if row else None


def accounts_of(scope: UUID, partner_id: UUID) -> ListQuery:
    """The accounts of a partner that are not purged, those scheduled for deletion included."""
    return ListQuery(
        f"""
        select coalesce(s.seq, 0), case when s.id is not null then {ACCOUNT} end
        from {PAGE}
        where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        order by s.seq limit %(limit)s
        """,
        {"scope": scope, "partner": partner_id},
    )


def all_accounts(partner_id: UUID | None) -> ListQuery:
    """The accounts that are not purged of all partners, or of one, for the operator, with their partner and region."""
    return ListQuery(
        f"""
        select s.seq, json_strip_nulls(json_build_object({PUBLISHED}, 'partnerId', s.partner_id, 'region', r.name,
            'clusterUser', s.cluster_user))
        from storage_account s join region r on r.id = s.region_id
        where s.purged_at is null and (%(partner)s::uuid is null or s.partner_id = %(partner)s)
            and (%(after)s::bigint is null or s.seq > %(after)s)
        order by s.seq limit %(limit)s
        """,
        {"partner": partner_id},
    )


async def owner_of(conn: Connection, account_id: int) -> UUID | None:
    """The partner of an account that is not purged."""
    cursor = await conn.execute(
        "select partner_id from storage_account where id = %s and purged_at is null", [account_id]
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def partner_remaining(
    conn: Connection, scope: UUID, partner_id: UUID, account_id: int | None = None, *, for_override: bool = False
) -> PartnerRemaining | None:
    """The figures behind a refusal of a new account, of a new allocation of an existing one, or of an override. What
    accounts have for good is within the allocation itself; with their overrides, within the partner's override too."""
    cursor = await conn.execute(
        f"""
        select f.allocated, f.others, {BOUNDED}, p.account_count, p.suspended_at is not null
        from partner p
        left join storage_account s on s.id = %(id)s and s.partner_id = p.id and s.purged_at is null
        cross join lateral (
            select allocated, others from (values
                (p.allocated_capacity, p.allocated_to_accounts - coalesce(s.allocated_capacity, 0), false),
                (effective_capacity(p.allocated_capacity, p.override_capacity),
                    p.allocated_to_accounts::numeric + p.overrides_of_accounts - coalesce({EFFECTIVE}, 0), true)
            ) v (allocated, others, with_overrides)
            where with_overrides or not %(for_override)s
            order by allocated - others, with_overrides limit 1
        ) f
        where p.id = %(partner)s and %(scope)s in (p.id, p.distributor_id) and p.closed_at is null
        """,
        {"id": account_id, "partner": partner_id, "scope": scope, "for_override": for_override},
    )
    row = await cursor.fetchone()
    return PartnerRemaining(row[0], int(row[1]), *row[2:]) if row else None


_MOST_NAMED = 500


async def account_labels(conn: Connection, scope: UUID | None, numbers: Collection[int]) -> dict[str, str]:
    """The names of those accounts among `numbers` that belong to a partner or its distributor (None: to anyone)."""
    if not numbers:
        return {}
    cursor = await conn.execute(
        """
        select s.id::text, s.name from storage_account s join partner p on p.id = s.partner_id
        where s.id = any(%(numbers)s::bigint[]) and (%(scope)s::uuid is null or %(scope)s in (p.id, p.distributor_id))
        """,
        {"numbers": list(numbers), "scope": scope},
    )
    return dict(await cursor.fetchall())


async def account_ids_by_name(conn: Connection, scope: UUID | None, text: str) -> list[str]:
    """The numbers of the accounts in the scope whose names contain the text; the newest 500."""
    cursor = await conn.execute(
        """
        select s.id::text from storage_account s
        where strpos(s.name_key, %(search_key)s) > 0 and (%(scope)s::uuid is null
            or s.partner_id in (select p.id from partner p where %(scope)s in (p.id, p.distributor_id)))
        order by s.seq desc limit %(most)s
        """,
        {"search_key": name_key(text), "scope": scope, "most": _MOST_NAMED},
    )
    return [number for (number,) in await cursor.fetchall()]
