"""Jobs in the operator's console."""

from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.console.browsers import Browser
from tonnage.access.actor import Role
from tonnage.jobs import defer
from tonnage.jobs.declaration import UPKEEP_LABELS
from tonnage.worker import jobs_app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(client: AppClient) -> Browser:
    return await client.sign_in(client.cast.operator)


async def failed(client: AppClient, subject: str, reason: str = "It broke.") -> int:
    cast = client.cast
    await cast.database.run(defer, "provisioning.full_reconcile", subject)
    (job_id,) = await cast.row(
        "update procrastinate_jobs set status = 'failed', attempts = 2 where args->>'subject' = %s returning id",
        subject,
    )
    await cast.row(
        "insert into job_failure (job_id, failed_at, reason) values (%s, %s, %s) returning 1", job_id, cast.now, reason
    )
    return job_id


async def status(client: AppClient, job_id: int) -> str:
    row = await client.cast.row("select status::text from procrastinate_jobs where id = %s", job_id)
    return row[0]


async def test_a_failed_job_has_its_reason_and_is_retried(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    name = await cast.region()
    (region_id,) = await cast.row("select id from region where name = %s", name)
    job_id = await failed(client, str(region_id), "<b>It</b> broke.")
    page = (await admin.get("/operator/jobs?show=failed")).text
    assert "Compare storage cluster with the database" in page
    assert name in page
    assert "&lt;b&gt;It&lt;/b&gt; broke." in page
    assert f"/operator/jobs/{job_id}/retry" in page
    assert f"/operator/jobs/{job_id}/retry" not in (await admin.get("/operator/jobs?show=waiting")).text
    tried = await admin.post(f"/operator/jobs/{job_id}/retry")
    assert (tried.status_code, tried.headers["location"]) == (303, "/operator/jobs")
    assert await status(client, job_id) == "todo"


async def test_the_queues_own_jobs_have_labels_too(client: AppClient, admin: Browser) -> None:
    queue: Any = jobs_app("", client.app.state.services, ())  # the queue's types leave its tasks open
    assert {name for name in queue.tasks if name.startswith("jobs.")} == UPKEEP_LABELS.keys()
    for name, label in UPKEEP_LABELS.items():
        await client.cast.row(
            "insert into procrastinate_jobs (task_name, queue_name) values (%s, 'default') returning id", name
        )
        assert label in (await admin.get("/operator/jobs")).text


async def test_all_failed_jobs_are_retried(client: AppClient, admin: Browser) -> None:
    ids = [await failed(client, f"all {number}") for number in range(2)]
    assert (await admin.post("/operator/jobs/retry")).status_code == 303
    assert [await status(client, job_id) for job_id in ids] == ["todo", "todo"]


@pytest.mark.parametrize("job_id", ["9" * 18, "9" * 30, "9" * 5000, "x", "-1", "\N{SUPERSCRIPT TWO}", "1.5"])
async def test_unknown_jobs(admin: Browser, job_id: str) -> None:
    assert (await admin.post(f"/operator/jobs/{job_id}/retry")).status_code == 404


async def test_staff_may_not_retry(client: AppClient) -> None:
    job_id = await failed(client, "looked at")
    staff = await client.sign_in(client.cast.operator, Role.STAFF)
    page = await staff.get("/operator/jobs?show=failed")
    assert "looked at" in page.text
    assert "/retry" not in page.text
    assert (await staff.post(f"/operator/jobs/{job_id}/retry")).status_code == 403
    assert (await staff.post("/operator/jobs/retry")).status_code == 403
    assert await status(client, job_id) == "failed"
