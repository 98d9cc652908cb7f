"""`/readyz`: what makes a server unready, and what does not."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from testbed.gateway import Gateway as RealGateway
from tests.api.conftest import AppClient
from tests.api.offline import OFFLINE, check_regions, offline_client
from tests.cast import NOW
from tests.roles import run_as_owner, url_of
from tonnage.access.actor import Role
from tonnage.jobs import defer
from tonnage.migrations import program_revision
from tonnage.regions import actions as regions
from tonnage.regions.region import Gateway

pytestmark = pytest.mark.anyio

READY: dict[str, Any] = {"status": "ready", "unhealthyRegions": [], "onHold": None}


@pytest.fixture
async def key_file(tmp_path: Path) -> Path:
    return tmp_path / "secret.key"


@pytest.fixture
async def offline(new_database: Callable[[], AbstractContextManager[str]], key_file: Path) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with offline_client(conninfo, key_file) as client:
            yield client


async def ready_report(client: AppClient) -> Any:
    """The report of a ready server to the operator, without jobs and schema; a stranger learns that it is ready."""
    for key in (None, await client.key(await client.cast.distributor())):
        answer = await client.call("GET", "/readyz", key)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    answer = await client.call("GET", "/readyz", await client.key(client.cast.operator, Role.VIEWER))
    assert answer.status_code == 200
    report = answer.json()
    assert report.pop("database") == {"schema": program_revision()}
    assert {*report.pop("jobs")} == {"waiting", "retrying", "running", "failed", "cancelled", "aborted"}
    return report


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "tonnage.regions.actions"]


async def test_an_unreachable_cluster_is_named_and_the_server_stays_ready(
    offline: AppClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert await ready_report(offline) == READY, "nobody has looked yet"
    await check_regions(offline)
    seen = await ready_report(offline)
    (trouble,) = seen.pop("unhealthyRegions")
    assert {**seen, "unhealthyRegions": []} == READY
    assert (trouble["region"], trouble["since"]) == ("eu", "2026-03-15T12:00:00Z")
    assert "cannot be reached" in trouble["detail"]

    offline.clock.now += timedelta(minutes=1)
    await check_regions(offline)
    assert (await ready_report(offline))["unhealthyRegions"] == [trouble], "since when is since the first time"
    assert warnings(caplog) == [f"the cluster of the region eu cannot be used: {trouble['detail']}"], (
        "once, not every minute"
    )
    assert await offline.cast.row("select failures from region") == (2,)


async def test_lost_credentials_are_trouble_too(offline: AppClient, key_file: Path) -> None:
    os.remove(key_file)
    await check_regions(offline)
    (unhealthy,) = (await ready_report(offline))["unhealthyRegions"]
    assert "The credentials of the region eu cannot be decrypted" in unhealthy["detail"]


@pytest.mark.ceph
async def test_a_cluster_that_is_reachable_again(
    offline: AppClient, key_file: Path, gateway: RealGateway, caplog: pytest.LogCaptureFixture
) -> None:
    reached = Gateway(gateway.address, gateway.access_key, gateway.secret_key)
    operator = offline.cast.operator
    await offline.cast.database.transaction(regions.connect_region, operator, "eu", reached, NOW, key_file)
    gateway.stall()
    try:
        await check_regions(offline)
        (trouble,) = (await ready_report(offline))["unhealthyRegions"]
        assert trouble["region"] == "eu"
    finally:
        gateway.resume()
    for _ in range(50):
        await check_regions(offline)
        if await ready_report(offline) == READY:
            break
    assert await ready_report(offline) == READY
    await check_regions(offline)
    assert warnings(caplog)[-1] == "the cluster of the region eu works again"
    assert warnings(caplog).count("the cluster of the region eu works again") == 1


async def test_a_replaced_cluster_is_in_no_trouble_before_its_first_check(offline: AppClient, key_file: Path) -> None:
    await check_regions(offline)
    assert (await ready_report(offline))["unhealthyRegions"]
    operator = offline.cast.operator
    await offline.cast.database.transaction(regions.connect_region, operator, "eu", OFFLINE, NOW, key_file)
    assert await ready_report(offline) == READY


async def test_the_operator_sees_the_queue(offline: AppClient) -> None:
    key = await offline.key(offline.cast.operator)
    before = (await offline.call("GET", "/readyz", key)).json()["jobs"]["waiting"]
    await offline.cast.database.run(defer, "provisioning.requota", str(uuid4()))
    assert (await offline.call("GET", "/readyz", key)).json()["jobs"]["waiting"] == before + 1


async def test_what_is_no_key_is_refused(offline: AppClient) -> None:
    assert (await offline.call("GET", "/readyz", "guessed")).status_code == 401
    basic = await offline.call("GET", "/readyz", headers={"Authorization": "Basic eDp5"})
    assert basic.status_code == 401


async def test_a_schema_that_does_not_fit_is_not_ready(offline: AppClient) -> None:
    run_as_owner(url_of(offline.cast.database), "update alembic_version set version_num = '0000'")
    answer = await offline.call("GET", "/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Run `tonnage migrate`" in answer.json()["detail"]


async def test_an_unreachable_database_is_not_ready(
    new_database: Callable[[], AbstractContextManager[str]], server: str, key_file: Path
) -> None:
    with new_database() as conninfo:
        async with offline_client(conninfo, key_file) as client:
            (name,) = await client.cast.row("select current_database()")
            refuse_connections(server, name)
            answer = await client.call("GET", "/readyz")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await client.call("GET", "/healthz")).status_code == 200


def refuse_connections(server: str, name: str) -> None:
    """Terminates all connections to a database, and refuses new ones."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
