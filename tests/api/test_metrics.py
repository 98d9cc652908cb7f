"""`/metrics`: the samples that Prometheus reads, and who may request them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import AppClient
from tests.api.offline import check_regions, offline_client
from tests.cast import NOW
from tonnage import __version__
from tonnage.access.actor import Role
from tonnage.migrations import program_revision

pytestmark = pytest.mark.anyio


@pytest.fixture
async def offline(new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with offline_client(conninfo, tmp_path / "secret.key") as client:
            yield client


class Scrape:
    """The samples of one response: `scrape("tonnage_drift", region="eu")`."""

    def __init__(self, text: str) -> None:
        self._samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, series: str, /, **labels: str) -> float | None:
        return self._samples.get((series, *sorted(labels.items())))

    def labels(self, name: str) -> set[str]:
        return {value for series in self._samples if series[0] == name for _, value in series[1:]}


async def scrape(client: AppClient) -> Scrape:
    answer = await client.call("GET", "/metrics", await client.key(client.cast.operator, Role.VIEWER))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Scrape(answer.text)


async def change(client: AppClient, query: Any, *params: object) -> None:
    async def write(conn: Any) -> None:
        await conn.execute(query, params)

    await client.cast.database.run(write)


async def test_only_the_operator_may_ask(client: AppClient) -> None:
    answer = await client.call("GET", "/metrics")
    assert (answer.status_code, answer.json()["detail"]) == (401, "Authorization header is missing")
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    for actor in (distributor, partner):
        answer = await client.call("GET", "/metrics", await client.key(actor))
        assert answer.status_code == 403
        assert "needs an operator's key" in answer.json()["detail"]
    await scrape(client)


@pytest.mark.parametrize("document", ["/openapi.json", "/swagger/doc.json"])
async def test_it_is_no_part_of_the_api(client: AppClient, document: str) -> None:
    assert "/metrics" not in (await client.call("GET", document)).text


async def test_requests_are_counted_by_the_template_of_their_route(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    key = await client.key(distributor)
    path = f"/v1/partner/{partner.organisation_id}"
    for _ in range(3):
        await client.call("GET", path, key)
    await client.call("GET", path)
    await client.call("PURGE", "/v1/contract/list")
    await client.call("GET", "/etc/passwd")
    await client.call("BREW", "/coffee")
    seen = await scrape(client)
    of_partner = {"method": "GET", "route": "/v1/partner/{partnerID}"}
    assert seen("tonnage_requests_total", **of_partner, status="200") == 3
    assert seen("tonnage_requests_total", **of_partner, status="401") == 1
    assert seen("tonnage_request_seconds_count", **of_partner) == 4
    assert seen("tonnage_request_seconds_bucket", **of_partner, le="+Inf") == 4
    assert seen("tonnage_requests_total", method="other", route="other", status="405") == 1
    assert seen("tonnage_requests_total", method="GET", route="other", status="404") == 1
    assert seen("tonnage_requests_total", method="other", route="other", status="404") == 1
    assert not {str(partner.organisation_id), path, "/etc/passwd", "BREW"} & seen.labels("tonnage_requests_total")
    assert (await scrape(client))("tonnage_requests_total", method="GET", route="/metrics", status="200") == 1
    assert (seen("process_resident_memory_bytes") or 0) > 1_000_000


async def test_the_state_of_a_region(offline: AppClient) -> None:
    cast = offline.cast
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    accounts = [await cast.account(partner) for _ in range(3)]
    await change(offline, "update storage_account set applied_revision = desired_revision where id = %s", accounts[0])
    rejection = "rejected_revision = desired_revision, rejection_reason = 'taken'"
    await change(offline, f"update storage_account set {rejection} where id = %s", accounts[1])
    await change(offline, "insert into drift (region_id, subject, description, found_at) values (1, 'x', 'y', %s)", NOW)
    full_reconcile = "insert into full_reconcile (region_id, finished_at, checked, repaired) values (1, %s, 0, 7)"
    await change(offline, full_reconcile, NOW)
    seen = await scrape(offline)
    assert seen("tonnage_accounts_behind", region="eu", state="pending") == 1
    assert seen("tonnage_accounts_behind", region="eu", state="rejected") == 1
    assert seen("tonnage_drift", region="eu") == 1
    assert seen("tonnage_repairs_total", region="eu") == 7
    assert seen("tonnage_region_unhealthy", region="eu") == 0
    assert seen("tonnage_region_failed_checks_total", region="eu") == 0
    assert seen("tonnage_info", version=__version__, schema=program_revision()) == 1

    await check_regions(offline)
    seen = await scrape(offline)
    assert seen("tonnage_region_unhealthy", region="eu") == 1
    assert seen("tonnage_region_failed_checks_total", region="eu") == 1


async def test_a_metered_region_has_no_cluster_to_watch(offline: AppClient) -> None:
    name = await offline.cast.region()
    answer = await offline.call("GET", "/metrics", await offline.key(offline.cast.operator, Role.VIEWER))
    assert 'region="eu"' in answer.text
    assert name not in answer.text


async def test_the_sampling_lag(offline: AppClient) -> None:
    offline.clock.now = NOW + timedelta(hours=2)
    await change(offline, "update region set created_at = %s where name = 'eu'", NOW - timedelta(days=400))
    assert (await scrape(offline))("tonnage_sampling_lag_seconds", region="eu") == 7200, "since it has a cluster"
    run = "insert into sampling_run (region_id, hour, started_at, finished_at, missed) values (1, %s, %s, %s, %s)"
    await change(offline, run, NOW + timedelta(hours=1), NOW, NOW, 4)
    await change(offline, run, NOW + timedelta(hours=2), NOW, None, 0)
    seen = await scrape(offline)
    assert seen("tonnage_sampling_lag_seconds", region="eu") == 3600, "one under way does not count"
    assert seen("tonnage_sampling_missed", region="eu") == 4


async def test_jobs(offline: AppClient) -> None:
    (at,) = await offline.cast.row("select at from procrastinate_events where type = 'deferred'")
    offline.clock.now = at + timedelta(seconds=90)
    # The region's first check is still to come; there is no worker.
    verification = {"name": "provisioning.verify_identity"}
    seen = await scrape(offline)
    assert seen("tonnage_jobs", **verification, status="waiting") == 1
    assert seen("tonnage_job_oldest_seconds", status="waiting") == 90
    assert seen("tonnage_job_oldest_seconds", status="retrying") == 0
    await change(offline, "update procrastinate_jobs set attempts = 1")
    seen = await scrape(offline)
    assert seen("tonnage_jobs", **verification, status="retrying") == 1
    assert seen("tonnage_job_oldest_seconds", status="retrying") == 90
    running = """
        insert into procrastinate_jobs (queue_name, task_name, status, lock)
        select queue_name, task_name, 'doing', lock from procrastinate_jobs"""
    await change(offline, running)
    seen = await scrape(offline)
    assert seen("tonnage_jobs", **verification, status="running") == 1
    assert seen("tonnage_job_oldest_seconds", status="retrying") == 0, "it waits for its turn, not for a worker"
    await change(offline, "update procrastinate_jobs set status = 'failed'")
    seen = await scrape(offline)
    assert seen("tonnage_jobs", **verification, status="failed") == 2
    assert seen("tonnage_jobs", **verification, status="retrying") is None


async def test_a_crash_is_counted(client: AppClient, caplog: pytest.LogCaptureFixture) -> None:
    async def crash() -> None:
        raise KeyError("x")

    client.app.add_api_route("/crash", crash)
    transport = httpx.ASGITransport(client.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tonnage") as http:
        assert (await http.get("/crash")).status_code == 500
    assert "crashed" in caplog.text
    assert (await scrape(client))("tonnage_requests_total", method="GET", route="other", status="500") == 1
