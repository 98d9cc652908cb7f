"""The data of the console's lists: 100,000 partners under two contracts, accounts, usage, what is charged for it,
members, audit entries."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString, NamedTuple
from uuid import UUID, uuid4

import psycopg

from bench.dataset import loading
from tonnage import migrations
from tonnage.billing.actions import compute_running
from tonnage.db import connect
from tonnage.names import name_key
from tonnage.tokens import digest, new_token

PARTNERS = 100_000
ACCOUNTS_EACH = 3
DAYS = 31
ENTRIES = 1_000_000


class ConsoleData(NamedTuple):
    """The ids that paths contain, and the session tokens of the members who request the pages."""

    distributor: str
    operator: str
    contract: UUID
    partner: UUID
    partners_own: str
    """The session of a member of that partner."""


# Names for the searches: a word in every tenth name, a word in all names, and a number.
WORDS = ["Nimbus", "Åkerlund", "Delta", "Harbour", "Quarz", "Vault", "Zenit", "Brücke", "Orion", "Lagune"]

_PARTNERS: LiteralString = """
with o as (
    insert into organisation (kind, parent_id, name, name_key, created_at)
    select 'partner', %(distributor)s,
        (%(words)s::text[])[1 + n * 7 %% 10] || ' ' || md5(n::text)::varchar(6) || ' Backup ' || n,
        (%(word_keys)s::text[])[1 + n * 7 %% 10] || ' ' || md5(n::text)::varchar(6) || ' backup ' || n,
        %(now)s::timestamptz - interval '400 days' + n * interval '5 minutes'
    from generate_series(1, %(count)s) n returning id, name, created_at
), numbered as (
    select *, substring(name from '[0-9]+$')::int as n from o
)
insert into partner (
    id, distributor_id, contract_id, allocated_capacity, allow_overdraft, used, account_count, terms_since
)
select id, %(distributor)s, (%(contracts)s::uuid[])[1 + n %% 2], case when n %% 5 = 0 then 0 else 1000000000000 end,
    n %% 3 = 0, 0, 0, created_at
from numbered order by n
"""

_TERMS: LiteralString = """
insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
select id, terms_since, contract_id, allocated_capacity, coalesce(allow_overdraft, false) from partner
"""

_ACCOUNTS: LiteralString = """
insert into storage_account (
    id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash, allocated_capacity,
    allow_overdraft, created_at, terms_since)
select 100000000000 + p.seq * 1000 + n, p.id, r.id, 'Customer ' || p.seq || '-' || n, 'customer ' || p.seq || '-' || n,
    'c' || p.seq || '-' || n || '@example.org', 'c' || p.seq || '-' || n || '@example.org', 'none',
    case when n = 1 then 100000000000 else 0 end, p.allocated_capacity = 0,
    p.terms_since, p.terms_since
from partner p, generate_series(1, %(each)s) n, region r where r.is_default
"""

_MEASURED: LiteralString = """
update account_usage u set rolled_up_to = %(last)s,
    used = (p.seq * 7919 + s.id %% 1000 * 104729) %% 400000 * 1000000
from storage_account s join partner p on p.id = s.partner_id where s.id = u.account_id
"""

_TOTALS: LiteralString = """
update partner set used = s.used, account_count = s.accounts, allocated_to_accounts = s.given
from (
    select a.partner_id, sum(u.used) as used, count(*) as accounts, sum(a.allocated_capacity) as given
    from storage_account a join account_usage u on u.account_id = a.id group by a.partner_id
) s where s.partner_id = partner.id
"""

_CONTRACT_TOTALS: LiteralString = """
update contract set used = s.used, allocated_capacity = s.allocated
from (
    select contract_id, sum(used) as used, sum(allocated_capacity) as allocated from partner group by contract_id
) s where s.contract_id = contract.id
"""

# The sums of the accounts' daily values, as the product would have kept them. In order of partner: the order of the
# table depends on the plan of _TOTALS.
_USAGE: LiteralString = """
insert into partner_usage (partner_id, day, usage)
select id, %(last)s::date - back, div(used * (100 - back), 100) from partner, generate_series(0, %(days)s - 1) back
order by id, back
"""

_PRICES: LiteralString = """
with b as (
    insert into price_book (seller_id, name, name_key, currency, is_default, created_at)
    values (%(distributor)s, 'Prices', 'prices', 'EUR', true, %(now)s) returning id
)
insert into price_version (
    book_id, number, valid_from, reserved, excess, pay_per_use, prorate_minimums, created_at, published_at, publication)
select id, 1, '2020-01-01', 0.7, 1.3, 1.1, true, %(now)s, %(now)s, 1 from b
"""

_MEMBERS: LiteralString = """
insert into member (organisation_id, email, email_key, name, name_key, role, password_hash, created_at)
select id, 'm' || seq || '@example.org', 'm' || seq || '@example.org', 'Member ' || md5(seq::text)::varchar(8),
    'member ' || md5(seq::text)::varchar(8),
    (array['admin', 'staff', 'viewer'])[1 + seq %% 3], 'none', terms_since
from partner
"""

_HISTORY: LiteralString = """
insert into audit_entry (
    at, actor_kind, actor_id, actor_organisation_id, organisation_id, parent_id, action, subject_id, before, after)
select p.terms_since + n * interval '8 minutes', 'cli', null, p.distributor_id, p.id, p.distributor_id,
    (array['partner.update', 'member.create', 'account.create', 'account.update'])[1 + n %% 4],
    case when n %% 2 = 0 then p.id::text else (100000000000 + p.seq * 1000 + 1 + n %% 3)::text end,
    '{"allocatedCapacity": 0}', '{"allocatedCapacity": 1000000000000}'
from generate_series(1, %(each)s) n, partner p order by 1
"""

# What the start pages look for: alerts of 45 days, deletions, API keys, statements that are late, and events.
_ATTENTION: tuple[LiteralString, ...] = (
    """
    insert into alert (organisation_id, partner_id, level, crossed_at, used, capacity)
    select p.id, p.id, level, %(now)s::timestamptz - p.seq %% 45 * interval '1 day', p.used, p.allocated_capacity
    from partner p, unnest(array[50, 80, 90, 100]) level
    where p.allocated_capacity > 0 and p.used * 100 >= p.allocated_capacity::numeric * level order by p.seq, level
    """,
    """
    update storage_account set deletion_requested_at = %(now)s,
        pending_deleted_at = %(now)s::timestamptz + seq %% 30 * interval '1 day' + interval '1 hour'
    where seq %% 100 = 0
    """,
    """
    insert into statement_design (digest, design) values ('bench', '{}')
    """,
    """
    insert into statement (seller_id, partner_id, month, buyer_key, currency, net, gross, document, design, input,
        digest, computed_at, number, frozen_at, due_on)
    select p.distributor_id, p.id, date_trunc('month', %(now)s::timestamptz)::date - interval '1 month',
        p.seq::text, 'EUR', 100, 119, json_build_object('buyerName', p.seq, 'sellerName', 'Many'), 'bench', '{}',
        'bench', %(now)s, p.seq::text, %(now)s, %(now)s::date - (p.seq %% 10)::int + 8
    from partner p order by p.seq
    """,
    """
    insert into event (position, entry_id, organisation_id, parent_id, type, at)
    select p.seq, p.seq, p.id, p.distributor_id,
        (array['partner.alert', 'account.deletion_scheduled', 'key.expiring', 'statement.received'])[1 + p.seq %% 4],
        %(now)s
    from partner p order by p.seq
    """,
)

_VISITOR: LiteralString = """
with m as (
    insert into member (organisation_id, email, email_key, role, password_hash)
    values (%(organisation)s, %(address)s, %(address)s, 'admin', 'none')
    returning id
)
insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
select id, %(digest)s, 'open', %(now)s, %(now)s, '192.0.2.1', 'bench' from m
"""


def build(url: str, partners: int = PARTNERS) -> ConsoleData:
    """Fills a new database."""
    migrations.upgrade(url)
    now = datetime.now(UTC)
    with loading(url) as conn:
        (operator,) = _row(conn, "select id from organisation where kind = 'operator'")
        distributor, contracts = add_partners(conn, partners, now, now.date() - timedelta(days=1))
        conn.execute(_MEMBERS, {})
        conn.execute(_HISTORY, {"each": ENTRIES // PARTNERS})
        for statement in _ATTENTION:
            conn.execute(statement, {"now": now})
        conn.execute("vacuum analyze")
        asyncio.run(_compute(url, now))
        conn.execute("vacuum analyze month_net")
        conn.execute("checkpoint")
        (partner,) = _row(conn, "select id from partner order by seq offset 100 limit 1")
        own = new_session(conn, partner, now)
        return ConsoleData(
            new_session(conn, distributor, now), new_session(conn, operator, now), contracts[0], partner, own
        )


def add_partners(conn: psycopg.Connection[Any], partners: int, now: datetime, last: date) -> tuple[UUID, list[UUID]]:
    """A distributor with prices, its contracts, partners, and their accounts and use through the `last` day; the ids of
    the distributor and of the contracts."""
    distributor, contracts = _distributor(conn)
    numbers = {
        "distributor": distributor,
        "contracts": contracts,
        "count": partners,
        "words": WORDS,
        "word_keys": [name_key(word) for word in WORDS],
        "each": ACCOUNTS_EACH,
        "days": DAYS,
        "now": now,
        "last": last,
    }
    for statement in (_PARTNERS, _TERMS, _ACCOUNTS, _MEASURED, _TOTALS, _CONTRACT_TOTALS, _USAGE, _PRICES):
        conn.execute(statement, numbers)
    return distributor, contracts


async def _compute(url: str, now: datetime) -> None:
    async with connect(url) as database:
        await compute_running(database, now)


def _distributor(conn: psycopg.Connection[Any]) -> tuple[UUID, list[UUID]]:
    conn.execute(
        """
        insert into region (name, s3_url, iam_url, sts_url, is_default)
        values ('bench', 'https://s3.example.org', 'https://iam.example.org', 'https://sts.example.org', true)
        """
    )
    (distributor,) = _row(
        conn, "insert into organisation (kind, name, name_key) values ('distributor', 'Many', 'many') returning id"
    )
    contracts = [uuid4(), uuid4()]
    for contract in contracts:
        conn.execute(
            """
            with k as (
                insert into contract (id, distributor_id, reserved_capacity, price_cents, currency, details, name_key)
                values (%(id)s, %(distributor)s, 9000000000000000000, 100, 'EUR', 'Standard terms', 'standard terms')
                returning *
            )
            insert into contract_terms (contract_id, valid_from, reserved_capacity, price_cents, currency)
            select id, created_at - interval '500 days', reserved_capacity, price_cents, currency from k
            """,
            {"id": contract, "distributor": distributor},
        )
    return distributor, contracts


def new_session(conn: psycopg.Connection[Any], organisation: UUID, now: datetime) -> str:
    """The token of a new member of an organisation."""
    token = new_token()
    address = f"{organisation}@example.org"
    conn.execute(_VISITOR, {"organisation": organisation, "address": address, "digest": digest(token), "now": now})
    return token


def _row(conn: psycopg.Connection[Any], query: LiteralString) -> tuple[Any, ...]:
    row = conn.execute(query).fetchone()
    if row is None:
        raise LookupError(query)
    return row
