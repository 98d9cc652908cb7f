"""Pages of a sandbox whose business clock was moved: sessions, keys and jobs go by the wall clock."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from tests.api.conftest import AppClient, application
from tests.cast import Cast
from tests.console.browsers import Browser
from tonnage.db import connect
from tonnage.jobs import defer
from tonnage.tokens import digest, new_token

pytestmark = pytest.mark.anyio

AHEAD = timedelta(days=200)


@pytest.fixture
async def client(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    """On a database of its own, since there is a cluster that nobody runs."""
    with new_database() as conninfo:
        async with (
            connect(conninfo) as database,
            application(conninfo, await Cast.of(database), ahead=AHEAD) as client,
        ):
            yield client


@pytest.fixture
async def admin(client: AppClient) -> Browser:
    return await client.sign_in(client.cast.operator)


async def shown(browser: Browser, path: str) -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200
    return re.sub("<[^>]+>", "", answer.text)


async def test_of_keys_sessions_jobs_and_findings_the_wall_clock_counts(client: AppClient, admin: Browser) -> None:
    cast, earlier = client.cast, client.clock.now - timedelta(minutes=3)
    name = await cast.region()
    (region_id,) = await cast.row(
        "update region set backend = 'ceph', admin_url = 'https://rgw.example.org', connected_at = %s where name = %s "
        "returning id",
        client.clock.now + AHEAD - timedelta(minutes=50),
        name,
    )
    await cast.row("insert into drift values (%s, 's', 'is <b>away</b>', %s) returning 1", region_id, earlier)
    await cast.key(cast.operator)
    (key_id,) = await cast.row(
        "update api_key set last_used_at = %s where organisation_id = %s returning id",
        earlier,
        cast.operator.organisation_id,
    )
    # The session that asks is seen now.
    await cast.row(
        "insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent) "
        "values (%s, %s, 'open', %s, %s, '192.0.2.7', '') returning 1",
        admin.member_id,
        digest(new_token()),
        earlier,
        earlier,
    )
    await cast.row("update member set last_signed_in_at = %s where id = %s returning 1", earlier, admin.member_id)
    await cast.database.run(defer, "provisioning.full_reconcile", "7")
    (job_id,) = await cast.row(
        "update procrastinate_jobs set status = 'failed', attempts = 2 where args->>'subject' = '7' returning id"
    )
    await cast.row(
        "insert into job_failure (job_id, failed_at, reason) values (%s, %s, '') returning 1", job_id, earlier
    )
    for path in (
        "/keys",
        f"/keys/{key_id}/revocation",
        "/profile/sessions",
        "/operator/jobs",
        "/operator/regions",
        f"/operator/members?q={admin.email}",
    ):
        assert "3 minutes ago" in await shown(admin, path), path
    regions = await shown(admin, "/operator/regions")
    assert "is &lt;b&gt;away&lt;/b&gt;" in regions
    assert "50 minutes ago" in regions
    assert "Stale" not in regions


async def test_of_usage_the_business_clock_counts(client: AppClient) -> None:
    cast = client.cast
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    account = await cast.account(partner)
    measured = client.clock.now + AHEAD - timedelta(hours=5)
    await cast.row("update account_usage set measured_at = %s where account_id = %s returning 1", measured, account)
    page = await shown(await client.sign_in(partner), f"/partner/accounts/{account}")
    assert "Measured 5 hours ago" in page
