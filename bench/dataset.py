"""The data set, created by SQL in bulk: 100,000 partners created by the product's own action would take minutes."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from tonnage import migrations
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import NewContract
from tonnage.db import Connection, connect
from tonnage.organisations import actions as organisations
from tonnage.organisations.queries import operator_id
from tonnage.regions import actions as regions
from tonnage.regions.region import NewRegion
from tonnage.units import MAX_CAPACITY

DAYS = 31
FEW = 10
MANY = 100_000
ACCOUNTS = (500, 10_000)
ALLOCATED = 1_000


@dataclass(frozen=True)
class Distributor:
    actor: Actor
    key: str
    contracts: list[UUID]


@dataclass(frozen=True)
class Dataset:
    """`few` and `many` have three contracts each and differ in the number of partners under the first one."""

    few: Distributor
    many: Distributor
    writers: Distributor
    reports: Distributor
    small_partner: UUID
    """A partner with 500 accounts, for W4."""
    large_partner: UUID
    """A partner with 10,000 accounts, for W5."""
    first: str
    last: str


_PARTNERS = """
with o as (
    insert into organisation (kind, parent_id, name, name_key)
    select 'partner', %(distributor)s, 'Partner ' || n, 'partner ' || n from generate_series(1, %(count)s) n
    returning id
), p as (
    insert into partner (id, distributor_id, contract_id, allocated_capacity)
    select id, %(distributor)s, %(contract)s, %(allocated)s from o returning *
), t as (
    insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
    select id, terms_since, contract_id, allocated_capacity, false from p
), k as (
    update contract set allocated_capacity = allocated_capacity + %(allocated)s::bigint * %(count)s
    where id = %(contract)s
)
select id from p
"""

_ACCOUNTS = """
with s as (
    insert into storage_account (
        id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash, allocated_capacity,
        allow_overdraft, created_at, terms_since)
    select %(from_id)s + n, %(partner)s, (select id from region where is_default), 'Customer ' || n,
        'customer ' || n,
        %(from_id)s + n || '@example.org', %(from_id)s + n || '@example.org', 'none', 0,
        false, %(last)s::date - 60, %(last)s::date - 60
    from generate_series(1, %(count)s) n returning *
), t as (
    insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
    select id, created_at, allocated_capacity, allow_overdraft from s
), d as (
    insert into daily_usage (account_id, usage, closing, day, samples)
    select s.id, 5000000000000 + s.seq * 1000000 + back, 5000000000000, %(last)s::date - back, 24
    from s, generate_series(0, %(days)s - 1) back
)
update partner set account_count = account_count + %(count)s where id = %(partner)s
"""

_MEASURED = """
update account_usage set used = 5000000000000 + account_id - %(from_id)s, rolled_up_to = %(last)s::date
where account_id > %(from_id)s and account_id <= %(from_id)s + %(count)s
"""


@contextmanager
def loading(url: str) -> Generator[psycopg.Connection[Any]]:
    """A connection for bulk inserts, in autocommit.

    A connection plans a foreign key's check once. Planned for a small table, the check scans the whole table, and a
    statement that inserts 100,000 rows takes minutes. So sequential scans are disabled.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set enable_seqscan = off")
        yield conn


def build(url: str, *, many: int | None = None, accounts: tuple[int, int] = ACCOUNTS) -> Dataset:
    """Fills a new database. `many`: partners of the large contract; None: MANY. `accounts`: those of both partners."""
    migrations.upgrade(url)
    last = datetime.now(UTC).date() - timedelta(days=1)
    first = last - timedelta(days=DAYS - 1)
    few, full, writers, reports = asyncio.run(_organisations(url))
    with loading(url) as conn:
        conn.execute("select ensure_usage_partitions(%s, %s)", [first, last])
        _partners(conn, few, 0, FEW)
        _partners(conn, full, 0, many or MANY)
        _partners(conn, reports, 0, 1_000)
        partners = _partners(conn, reports, 1, 2)
        for number, (partner, count) in enumerate(zip(partners, accounts, strict=True), 1):
            numbers = {"from_id": 100_000_000_000 * number, "count": count, "days": DAYS}
            conn.execute(_ACCOUNTS, {"partner": partner, "last": last, **numbers})
            conn.execute(_MEASURED, {"last": last, **numbers})
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")
    small, large = partners
    return Dataset(few, full, writers, reports, small, large, str(first), str(last))


def fresh(url: str, distributor: Distributor) -> UUID:
    """A new contract of the distributor with FEW partners: each round of writes starts from the same state."""
    made = asyncio.run(_fresh(url, distributor.actor.organisation_id))
    with loading(url) as conn:
        _partners(conn, replace(distributor, contracts=[made]), 0, FEW)
    return made


def _partners(conn: psycopg.Connection[Any], distributor: Distributor, contract: int, count: int) -> list[UUID]:
    rows = conn.execute(
        _PARTNERS,
        {
            "distributor": distributor.actor.organisation_id,
            "contract": distributor.contracts[contract],
            "allocated": ALLOCATED,
            "count": count,
        },
    )
    return [row[0] for row in rows]


async def _organisations(url: str) -> list[Distributor]:
    async with connect(url, size=1, streams=1) as database:
        by = await database.run(operator)
        now = datetime.now(UTC)
        region = NewRegion("bench", "https://s3.example.org", "https://iam.example.org", "https://sts.example.org")
        await database.run(regions.add_region, by, region, now)
        return [await database.run(new_distributor, by, name) for name in ("Few", "Many", "Writers", "Reports")]


async def _fresh(url: str, distributor: UUID) -> UUID:
    async with connect(url, size=1, streams=1) as database:
        return await database.run(new_contract, await database.run(operator), distributor)


async def operator(conn: Connection) -> Actor:
    return Actor(await operator_id(conn), Kind.OPERATOR, Role.ADMIN, "cli")


async def new_distributor(conn: Connection, by: Actor, name: str) -> Distributor:
    now = datetime.now(UTC)
    made = await organisations.create_distributor(conn, by, name, now)
    key, _ = await api_keys.create_key(conn, by, made, NewKey("bench", Role.ADMIN), now)
    signed = [await new_contract(conn, by, made) for _ in range(3)]
    return Distributor(Actor(made, Kind.DISTRIBUTOR, Role.ADMIN, "cli"), key, signed)


async def new_contract(conn: Connection, by: Actor, distributor: UUID) -> UUID:
    terms = NewContract(MAX_CAPACITY, Decimal(100), "EUR", "Standard terms")
    made = await contracts.create_contract(conn, by, distributor, terms, datetime.now(UTC))
    return made.id
