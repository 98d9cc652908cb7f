"""A PgBouncer in transaction mode is refused with a sentence, also when it comes in between later."""

import asyncio
import re
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from psycopg_pool import PoolTimeout

from tests.cli.running import PATIENCE, started, tonnage
from tests.db.statements import pid
from tests.pgbouncer import ABSENT, Pooler, pooled_server
from tonnage import migrations
from tonnage.asgi import create_app
from tonnage.db import Connection, connect, connect_for_jobs
from tonnage.db.deadlines import WaitLimit, limited
from tonnage.db.poolers import POOLER
from tonnage.db.pools import Pools
from tonnage.errors import Unavailable

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(bool(ABSENT), reason=ABSENT)]


@pytest.fixture
def pooler(tmp_path: Path) -> Generator[Pooler]:
    with pooled_server(tmp_path) as pooler:
        yield pooler


@pytest.fixture
def in_transaction_mode(pooler: Pooler) -> Pooler:
    """With a migrated database behind it."""
    pooler.start("session")
    migrations.upgrade(pooler.url)
    change_mode(pooler, "transaction")
    return pooler


def change_mode(pooler: Pooler, mode: str) -> None:
    pooler.stop()
    pooler.start(mode)


@pytest.mark.parametrize("command", [("region", "list"), ("doctor",)])
def test_no_command_works_through_it(in_transaction_mode: Pooler, command: tuple[str, ...]) -> None:
    refused = tonnage(*command, TONNAGE_DATABASE_URL=in_transaction_mode.url)
    assert refused.exit_code == 1
    assert POOLER in refused.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_what_would_run_until_it_is_stopped_does_not_start(in_transaction_mode: Pooler, command: tuple[str]) -> None:
    """In a process of its own, which is killed if it starts nevertheless."""
    with started(*command, TONNAGE_DATABASE_URL=in_transaction_mode.url) as refused:
        said = refused.wait_for(re.escape(POOLER)).string
        assert said == f"Error: {POOLER}\n", "before a pool has tried to connect"
        assert refused.process.wait(PATIENCE) == 1


async def test_the_only_connection_after_the_earlier_one_was_lost_is_looked_at(pooler: Pooler) -> None:
    pooler.start("session")
    pools = Pools()

    async def prepare(connection: Connection) -> None:
        """Sets no mark."""

    settings = {"autocommit": True}
    async with pools.make(
        pooler.url, "test", prepare=prepare, kwargs=settings, max_size=1, min_size=1, open=False
    ) as pool:
        lost = await pool.getconn(60)
        change_mode(pooler, "transaction")
        await pools.replace(lost)
        await pool.putconn(lost)
        with pytest.raises(PoolTimeout):
            await pool.getconn(2)
        assert pools.refusal == POOLER


async def test_a_further_connection_is_looked_at(pooler: Pooler) -> None:
    """Before anybody has noticed that the earlier ones are lost: it gets a session that has another one's settings."""
    pooler.start("session")
    async with connect_for_jobs(pooler.url) as database:
        await database.pool.wait(60)
        change_mode(pooler, "transaction")
        async with connect_for_jobs(pooler.url, database.pools) as one:
            await one.pool.wait(60)
            async with connect_for_jobs(pooler.url, database.pools) as other:
                with pytest.raises(PoolTimeout):
                    await other.pool.wait(2)
                assert database.pools.refusal == POOLER


async def test_connections_are_looked_at_again_whenever_they_are_opened(pooler: Pooler) -> None:
    """A proxy may be put in between while a server runs, or change its mode."""
    pooler.start("session")
    migrations.upgrade(pooler.url)
    app = create_app(pooler.url)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as http,
    ):
        assert (await http.get("/readyz")).status_code == 200
        change_mode(pooler, "transaction")
        refused = [await http.get("/readyz") for _ in range(3)][-1]
        assert refused.status_code == 503
        assert refused.json()["detail"] == POOLER
        change_mode(pooler, "session")
        answers = [await http.get("/readyz") for _ in range(3)]
        assert answers[-1].status_code == 200


async def test_session_mode_works(pooler: Pooler) -> None:
    pooler.start("session")
    migrations.upgrade(pooler.url)
    listed = await asyncio.to_thread(tonnage, "region", "list", TONNAGE_DATABASE_URL=pooler.url)
    assert listed.exit_code == 0, listed.output
    for _ in range(3):  # sessions of the server that were used before
        async with connect(pooler.url) as database:
            await database.run(pid)


async def test_a_refused_connection_is_not_used(pooler: Pooler) -> None:
    pooler.start("transaction")
    async with connect(pooler.url) as one, connect(pooler.url) as other:

        async def use() -> None:
            for _ in range(3):
                await one.run(pid)
                await other.run(pid)

        with limited(WaitLimit(2)), pytest.raises(Unavailable, match="in transaction mode"):
            await use()
