"""`/readyz`: what keeps a server from its work, and what does not."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from testbed.gateway import Gateway as RealGateway
from tests.api.away import AWAY, client_away, look
from tests.api.conftest import AppClient
from tests.cast import NOW
from tonnage.regions import actions as regions
from tonnage.regions.region import Gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
async def key_file(tmp_path: Path) -> Path:
    return tmp_path / "secret.key"


@pytest.fixture
async def away(new_database: Callable[[], AbstractContextManager[str]], key_file: Path) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with client_away(conninfo, key_file) as client:
            yield client


async def told(client: AppClient) -> Any:
    """What there is to say, of a server that is ready."""
    answer = await client.call("GET", "/readyz")
    assert answer.status_code == 200
    return answer.json()


async def change(client: AppClient, query: Any) -> None:
    async def write(conn: Any) -> None:
        await conn.execute(query)

    await client.cast.database.run(write)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tonnage.regions.actions"]


async def test_a_cluster_that_is_away_is_named_and_nothing_more(
    away: AppClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert await told(away) == {"status": "ready"}, "nobody has looked yet"
    await look(away)
    seen = await told(away)
    (trouble,) = seen.pop("trouble")
    assert seen == {"status": "ready"}
    assert (trouble["region"], trouble["since"]) == ("eu", "2026-03-15T12:00:00Z")
    assert "cannot be reached" in trouble["detail"]

    away.clock.now += timedelta(minutes=1)
    await look(away)
    assert (await told(away))["trouble"] == [trouble], "since when is since the first time"
    assert warnings(caplog) == [f"the cluster of the region eu cannot be used: {trouble['detail']}"], (
        "once, not every minute"
    )
    assert await away.cast.row("select failures from region") == (2,)


async def test_lost_credentials_are_trouble_too(away: AppClient, key_file: Path) -> None:
    os.remove(key_file)
    await look(away)
    assert "The credentials of the region eu cannot be decrypted" in (await told(away))["trouble"][0]["detail"]


@pytest.mark.ceph
async def test_a_cluster_that_is_back(
    away: AppClient, key_file: Path, gateway: RealGateway, caplog: pytest.LogCaptureFixture
) -> None:
    there = Gateway(gateway.address, gateway.access_key, gateway.secret_key)
    operator = away.cast.operator
    await away.cast.database.transaction(regions.connect_region, operator, "eu", there, NOW, key_file)
    gateway.stall()
    try:
        await look(away)
        (trouble,) = (await told(away))["trouble"]
        assert trouble["region"] == "eu"
    finally:
        gateway.go_on()
    for _ in range(50):
        await look(away)
        if await told(away) == {"status": "ready"}:
            break
    assert await told(away) == {"status": "ready"}
    await look(away)
    assert warnings(caplog)[-1] == "the cluster of the region eu works again"
    assert warnings(caplog).count("the cluster of the region eu works again") == 1


async def test_a_cluster_that_is_replaced_is_in_no_trouble_before_somebody_has_looked(
    away: AppClient, key_file: Path
) -> None:
    await look(away)
    assert "trouble" in await told(away)
    operator = away.cast.operator
    await away.cast.database.transaction(regions.connect_region, operator, "eu", AWAY, NOW, key_file)
    assert await told(away) == {"status": "ready"}


async def test_a_schema_that_does_not_fit_is_not_ready(away: AppClient) -> None:
    await change(away, "update alembic_version set version_num = '0000'")
    answer = await away.call("GET", "/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Run `tonnage migrate`" in answer.json()["detail"]


async def test_a_database_that_is_away_is_not_ready(
    new_database: Callable[[], AbstractContextManager[str]], server: str, key_file: Path
) -> None:
    with new_database() as conninfo:
        async with client_away(conninfo, key_file) as client:
            (name,) = await client.cast.row("select current_database()")
            shut_out(server, name)
            answer = await client.call("GET", "/readyz")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await client.call("GET", "/healthz")).status_code == 200


def shut_out(server: str, name: str) -> None:
    """Ends all connections to a database, and lets nobody in any more."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
