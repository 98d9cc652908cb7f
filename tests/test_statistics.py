"""Query plans before the database has statistics: on a new installation, after a restore, in one large transaction."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cast import Cast
from tests.roles import as_owner, run_as_owner
from tonnage.access.lists import latest_audit
from tonnage.db import Connection, Database, connect
from tonnage.organisations.queries import organisation_names
from tonnage.provisioning import queries as provisioning_queries
from tonnage.usage import checks

_PARTNERS = 1000
_ACCOUNTS_EACH = 4
_DAYS = 10
_PAGE = 500

# By SQL, without triggers and foreign keys, in tables without autovacuum.
_ROWS: LiteralString = """
set session_replication_role = replica;
alter table partner set (autovacuum_enabled = false);
alter table storage_account set (autovacuum_enabled = false);
insert into region (id, name, s3_url, iam_url, sts_url) overriding system value
values (1, 'bulk', 'https://s3.example.org', 'https://iam.example.org', 'https://sts.example.org');
insert into partner (id, distributor_id, contract_id, allocated_capacity)
select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 0 from generate_series(1, %(partners)s);
insert into storage_account (
    id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash, allocated_capacity,
    allow_overdraft, created_at, terms_since)
select 100000000000 + p.seq * 10 + n, p.id, 1, 'Customer', 'customer', p.seq || '-' || n, p.seq || '-' || n, 'none', 0,
    false, now() - interval '60 days', now() - interval '60 days'
from partner p, generate_series(1, %(accounts)s) n;
insert into account_usage (account_id, partner_id, rolled_up_to)
select id, partner_id, now()::date from storage_account;
select ensure_usage_partitions(now()::date - %(days)s, now()::date);
insert into daily_usage (account_id, usage, closing, day, samples)
select s.id, 1, 1, now()::date - n, 1 from storage_account s, generate_series(1, %(days)s) n;
insert into partner_usage (partner_id, day, usage)
select p.id, now()::date - n, %(accounts)s from partner p, generate_series(1, %(days)s) n;
"""

_OTHERS: LiteralString = """
with o as (
    insert into organisation (kind, name, name_key)
    select 'distributor', 'Other ' || n, 'other ' || n from generate_series(1, %s) n returning id
)
insert into audit_entry (actor_kind, organisation_id, action, subject_id)
select 'job', o.id, 'distributor.create', o.id::text from o
"""

_READ: LiteralString = """
select t.relname, coalesce(t.seq_tup_read, 0)
    + coalesce((select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid), 0)::bigint
from pg_stat_user_tables t
"""

pytestmark = pytest.mark.anyio

Databases = Callable[[], AbstractContextManager[str]]


def _load(conninfo: str) -> None:
    with psycopg.connect(as_owner(conninfo)) as conn:
        numbers = {"partners": _PARTNERS, "accounts": _ACCOUNTS_EACH, "days": _DAYS}
        psycopg.ClientCursor(conn).execute(_ROWS, numbers)


async def latest_entries(conn: Connection, organisation_id: UUID) -> list[dict[str, Any]]:
    rows = await (await conn.execute(*latest_audit(organisation_id, 100)())).fetchall()
    return [json.loads(entry) for _, entry in rows]


@asynccontextmanager
async def _counted(conninfo: str) -> AsyncGenerator[tuple[Database, Counter[str]]]:
    """A session, and the rows and index entries that it has read, by table, once it has ended."""
    read: Counter[str] = Counter()
    with psycopg.connect(as_owner(conninfo), autocommit=True) as conn:
        conn.execute("select pg_stat_reset()")
    async with connect(conninfo, size=1, streams=1) as database:
        yield database, read
        # A session may keep its counts for seconds.
        await database.run(lambda conn: conn.execute("select pg_stat_force_next_flush()"))
    with psycopg.connect(as_owner(conninfo), autocommit=True) as conn:
        for table, rows in conn.execute(_READ):
            read[table] += rows


async def test_foreign_keys_are_checked_by_index_from_the_first_row_on(new_database: Databases) -> None:
    with new_database() as conninfo:
        run_as_owner(conninfo, "alter table organisation set (autovacuum_enabled = false)")
        async with _counted(conninfo) as (database, read):
            cast = await Cast.of(database)
            distributor = await cast.distributor()
            contract = await cast.contract(distributor)
            for _ in range(100):
                await cast.partner(distributor, contract, 0)
    assert 0 < read["organisation"] < 1_000


async def test_reconciliation_reads_each_account_a_few_times(new_database: Databases) -> None:
    async def pages(conn: Connection) -> int:
        after = count = 0
        while some := await provisioning_queries.present(conn, 1, after, _PAGE):
            after, count = some[-1].account_id, count + len(some)
        return count

    with new_database() as conninfo:
        _load(conninfo)
        async with _counted(conninfo) as (database, read):
            accounts = await database.run(pages)
    assert accounts == _PARTNERS * _ACCOUNTS_EACH
    assert accounts <= read["storage_account"] < 20 * accounts


async def test_the_doctor_reads_each_day_of_a_partner_once(new_database: Databases) -> None:
    with new_database() as conninfo:
        _load(conninfo)
        async with _counted(conninfo) as (database, read):
            found = await database.run(checks.partner_days)
    assert (found.compared, found.differing) == (_PARTNERS * _DAYS, 0)
    days = _PARTNERS * _ACCOUNTS_EACH * _DAYS
    assert days <= read.total() < 10 * days


async def test_names_and_audit_entries_of_one_organisation_are_found_by_index(new_database: Databases) -> None:
    organisations = 2_000
    with new_database() as conninfo:
        run_as_owner(conninfo, "alter table organisation set (autovacuum_enabled = false)")
        run_as_owner(conninfo, "alter table audit_entry set (autovacuum_enabled = false)")
        async with connect(conninfo, size=1, streams=1) as database:
            cast = await Cast.of(database)
            distributor = await cast.distributor("Distribution")
            partner = await cast.partner(distributor, await cast.contract(distributor), name="Partner")
        with psycopg.connect(conninfo) as conn:
            psycopg.ClientCursor(conn).execute(_OTHERS, [organisations])
        async with _counted(conninfo) as (database, read):
            ids = [str(partner.organisation_id), str(uuid4()), "7", ""]
            names = await database.run(organisation_names, ids)
            entries = await database.run(latest_entries, distributor.organisation_id)
    assert names == {str(partner.organisation_id): "Partner"}
    assert [entry["action"] for entry in entries] == ["distributor.create", "contract.create", "partner.create"]
    assert 0 < read["organisation"] < 100
    assert 0 < read["audit_entry"] < 100
