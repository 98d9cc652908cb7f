"""A server that another one has replaced is not connected to, although it takes sessions."""

import asyncio
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from tonnage import embedded
from tonnage.db.pools import Pool, Pools

pytestmark = pytest.mark.anyio


def make_standby(folder: Path) -> None:
    # With the owner that the server needs.
    owned, signal = folder / "postgres/PG_VERSION", folder / "postgres/standby.signal"
    subprocess.run(["cp", "--archive", "--attributes-only", owned, signal], check=True)


@contextmanager
def promoted(folder: Path) -> Generator[str]:
    """The server as it is when it was a standby and became the primary."""
    make_standby(folder)
    with embedded.serve(folder, durable=False) as (_, url):
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("select pg_promote()")
        yield url


def pool(pools: Pools, url: str, *, autocommit: bool) -> Pool:
    return pools.make(url, "test", kwargs={"autocommit": autocommit}, min_size=1, max_size=1, open=False)


@pytest.mark.parametrize("autocommit", [True, False])
async def test_a_server_that_was_replaced_is_refused(tmp_path: Path, autocommit: bool) -> None:
    folder, replaced = tmp_path / "server", tmp_path / "replaced"
    pools = Pools()
    with embedded.serve(folder, durable=False) as (_, url):
        async with pool(pools, url, autocommit=autocommit) as first, first.connection(60):
            pass
    await asyncio.to_thread(subprocess.run, ["cp", "--archive", folder, replaced], check=True)
    with promoted(folder) as url:
        async with pool(pools, url, autocommit=autocommit) as second, second.connection(60):
            pass
    with embedded.serve(replaced, durable=False) as (_, url):
        async with pool(pools, url, autocommit=autocommit) as third:
            with pytest.raises(PoolTimeout):
                await third.getconn(1)
        async with pool(Pools(), url, autocommit=autocommit) as of_another_process, of_another_process.connection(60):
            pass


async def test_a_standby_is_not_refused(tmp_path: Path) -> None:
    with embedded.serve(tmp_path, durable=False):
        pass
    make_standby(tmp_path)
    with embedded.serve(tmp_path, durable=False) as (_, url):
        async with pool(Pools(), url, autocommit=True) as standby, standby.connection(60):
            pass
