"""A gateway that dies, stalls or rejects the credentials during provisioning, and two reconcilers at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.ceph_client import ClusterClient, on_cluster
from tests.storage.conftest import MODERATE_TIMEOUTS
from tonnage.db import connect
from tonnage.errors import Unavailable
from tonnage.provisioning import jobs as provisioning_jobs
from tonnage.provisioning.actions import reconcile
from tonnage.regions import actions as regions
from tonnage.regions.backends import OpenBackends
from tonnage.regions.region import Gateway as Reached
from tonnage.storage.errors import Misconfigured

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

MANY = 60


@pytest.fixture(scope="module")
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A gateway that a test may kill, if it starts it again."""
    started = Gateway(tmp_path_factory.mktemp("drill"))
    yield started
    started.remove()


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], own_gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    """With short time limits."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, own_gateway, tmp_path / "keys", MODERATE_TIMEOUTS) as opened:
            yield opened


async def create_accounts(client: ClusterClient) -> list[int]:
    """Accounts that are not provisioned yet."""
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    return sorted([await client.cast.account(partner, 1) for _ in range(MANY)])


async def run_reconcile(client: ClusterClient) -> None:
    await provisioning_jobs.reconcile(client.services, str(client.region_id))


async def applied_count(client: ClusterClient) -> int:
    (count,) = await client.cast.row("select count(*) from storage_account where applied_revision > 0")
    return count


async def trouble(client: ClusterClient) -> str | None:
    (sentence,) = await client.cast.row("select unhealthy_reason from region where id = %s", client.region_id)
    return sentence


async def on_the_cluster(client: ClusterClient, accounts: list[int]) -> int:
    backend = await client.backends.of(client.region_id)
    return len({account async for account in backend.accounts()} & set(accounts))


async def test_an_interrupted_reconciliation_is_continued(client: ClusterClient, own_gateway: Gateway) -> None:
    accounts = await create_accounts(client)
    going = asyncio.create_task(run_reconcile(client))
    while not await on_the_cluster(client, accounts):
        assert not going.done()
    own_gateway.kill()
    with pytest.raises(Unavailable):
        await going
    assert "cannot be reached" in (await trouble(client) or "")
    assert await applied_count(client) < MANY
    own_gateway.start()  # not in another thread: it would be killed when that ends
    patient = OpenBackends(client.database, client.key_file)
    # The gateway's successor at first delays requests that change a user.
    await reconcile(client.database, await patient.of(client.region_id), await client.permit_changes())
    await patient.close()
    assert (await applied_count(client), await on_the_cluster(client, accounts)) == (MANY, MANY)


async def test_a_stalled_gateway_ends_the_run_at_the_first_timeouts(
    client: ClusterClient, own_gateway: Gateway
) -> None:
    await create_accounts(client)
    own_gateway.stall()
    try:
        # 16 of 60 accounts are provisioned at a time; the first failure among these ends it.
        async with asyncio.timeout(MANY / 16 * MODERATE_TIMEOUTS.read):
            with pytest.raises(Unavailable, match="did not answer in time"):
                await run_reconcile(client)
    finally:
        own_gateway.resume()
    assert (await applied_count(client), "did not answer" in (await trouble(client) or "")) == (0, True)
    await regions.check_all(client.services)
    assert await trouble(client) is None


async def test_wrong_credentials_stop_provisioning(client: ClusterClient, own_gateway: Gateway) -> None:
    accounts = await create_accounts(client)

    async def connect_with(secret: str) -> None:
        reached = Reached(own_gateway.address, client.admin.access_key, secret)
        await client.database.transaction(
            regions.connect_region, client.cast.operator, "on-ceph", reached, client.clock(), client.key_file
        )

    await connect_with("not-the-secret")
    with pytest.raises(Misconfigured):
        await run_reconcile(client)
    assert "refuses the access key or the secret" in (await trouble(client) or "")
    assert (await applied_count(client), await on_the_cluster_of(own_gateway, accounts)) == (0, 0)
    await connect_with(client.admin.secret_key)
    assert await trouble(client) is None
    assert "provisioning.full_reconcile" in await client.work()
    assert await applied_count(client) == MANY


async def on_the_cluster_of(gateway: Gateway, accounts: list[int]) -> int:
    listed = await asyncio.to_thread(gateway.admin, "user", "list")
    return sum(str(account) in listed for account in accounts)


async def test_a_missing_key_file_stops_provisioning(client: ClusterClient) -> None:
    await create_accounts(client)
    backends = OpenBackends(client.database, None)
    with pytest.raises(Misconfigured, match="TONNAGE_SECRET_KEY_FILE"):
        await provisioning_jobs.reconcile(replace(client.services, backends=backends), str(client.region_id))
    assert "cannot be decrypted" in (await trouble(client) or "")


async def test_concurrent_reconciliations(client: ClusterClient) -> None:
    accounts = await create_accounts(client)
    async with connect(client.conninfo) as other:
        backends = OpenBackends(other, client.key_file)
        await asyncio.gather(
            reconcile(client.database, await backends.of(client.region_id), await client.permit_changes()),
            reconcile(other, await backends.of(client.region_id), await client.permit_changes()),
        )
        await backends.close()
    # Each finds accounts that the other has provisioned, too, so these are provisioned again.
    assert set(await client.work()) == {
        "provisioning.verify_identity",
        "provisioning.reconcile",
        "provisioning.full_reconcile",
    }
    assert (await applied_count(client), await on_the_cluster(client, accounts)) == (MANY, MANY)
