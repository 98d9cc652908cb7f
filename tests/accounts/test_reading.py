"""The number of rows read for a page of very many accounts, and for the count of unprovisioned ones."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from uuid import UUID

import pytest

from tests.cast import Cast
from tests.roles import run_as_owner, url_of
from tonnage.accounts import extended_queries, queries
from tonnage.db import Connection, Database, ListQuery, connect
from tonnage.provisioning.lists import RegionProvisioning, region_provisioning

pytestmark = pytest.mark.anyio

T = TypeVar("T")

MANY = 3000

Select = Callable[[UUID, UUID], ListQuery]


@pytest.fixture
async def cast(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Cast]:
    """A database with two regions: `full`, which is metered and has all accounts, and `bare`."""
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            for region in ("full", "bare"):
                await cast.region(region)
            yield cast


async def fill(cast: Cast, partner: UUID) -> None:
    """Very many accounts, none of them provisioned."""

    async def insert(conn: Connection) -> None:
        await conn.execute(
            """
            insert into storage_account (id, partner_id, region_id, name, name_key, contact_email, contact_email_key,
                password_hash, allocated_capacity, allow_overdraft)
            select 100000000000 + n, %s, (select id from region where name = 'full'), 'Account ' || n,
                'account ' || n, n || '@example.org', n || '@example.org', 'hash', 0, false
            from generate_series(1, %s) n
            """,
            [partner, MANY],
        )

    await cast.database.run(insert)
    await asyncio.to_thread(run_as_owner, url_of(cast.database), "analyze")


async def rows_read(database: Database, work: Callable[[Connection], Awaitable[T]]) -> tuple[int, T]:
    """The number of rows of storage accounts that the database read, and the result."""

    async def so_far(conn: Connection) -> int:
        cursor = await conn.execute(
            "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'storage_account'"
        )
        row = await cursor.fetchone()
        assert row is not None
        return row[0]

    async def counted(conn: Connection) -> tuple[int, T]:
        before = await so_far(conn)
        found = await work(conn)
        return await so_far(conn) - before, found

    return await database.transaction(counted)


@pytest.mark.parametrize("select", [queries.accounts_of, extended_queries.extended_accounts])
@pytest.mark.parametrize("kept", [False, True], ids=["planned anew", "plan kept"])
async def test_a_page_does_not_read_all_accounts(cast: Cast, select: Select, kept: bool) -> None:
    distributor = await cast.distributor()
    partner, other = [
        (await cast.partner(distributor, await cast.contract(distributor))).organisation_id for _ in range(2)
    ]
    await fill(cast, partner)
    (middle,) = await cast.row("select seq from storage_account where id = %s", 100_000_000_000 + MANY // 2)

    def asked(of: UUID, after: int | None, limit: int | None) -> Callable[[Connection], Awaitable[Any]]:
        async def ask(conn: Connection) -> list[tuple[int, bytes | None]]:
            if kept:
                await conn.execute("set local plan_cache_mode = force_generic_plan")
            cursor = await conn.execute(*select(of, of)(after, limit), prepare=True)
            return await cursor.fetchall()

        return ask

    _, everything = await rows_read(cast.database, asked(partner, None, None))
    assert [json.loads(text)["name"] for _, text in everything] == [f"Account {n}" for n in range(1, MANY + 1)]
    for after, begin in ((None, 0), (middle, MANY // 2), (everything[-3][0], MANY - 2)):
        read, page = await rows_read(cast.database, asked(partner, after, 11))
        assert page == everything[begin : begin + 11]
        assert read <= 11
    _, empty = await rows_read(cast.database, asked(other, None, 11))
    assert empty == [(0, None)]
    _, behind = await rows_read(cast.database, asked(partner, everything[-1][0], 11))
    assert behind == [(0, None)]


async def test_accounts_of_metered_regions_are_not_read_for_the_metrics(cast: Cast) -> None:
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    await fill(cast, partner.organisation_id)
    accounts = [await cast.account(partner, region="bare") for _ in range(3)]

    async def connect_bare(conn: Connection) -> None:
        await conn.execute(
            "update region set backend = 'ceph', admin_url = 'https://rgw.example.org', connected_at = %s"
            " where name = 'bare'",
            [cast.now],
        )
        await conn.execute(
            "update storage_account set rejected_revision = desired_revision, rejection_reason = 'taken' where id = %s",
            [accounts[0]],
        )

    await cast.database.transaction(connect_bare)
    read, found = await rows_read(cast.database, region_provisioning)
    assert found == [RegionProvisioning("bare", 2, 1, 0, 0)]
    assert read <= len(accounts)
