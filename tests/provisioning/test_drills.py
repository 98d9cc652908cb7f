"""A gateway that dies, stalls or turns us away while accounts are being told, and two who tell at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.clustered import ClusterClient, on_cluster
from tests.storage.conftest import BRISK
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
    """One that a test may kill, as long as it starts it again."""
    started = Gateway(tmp_path_factory.mktemp("drill"))
    yield started
    started.remove()


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], own_gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    """With little patience."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, own_gateway, tmp_path / "keys", BRISK) as opened:
            yield opened


async def many(client: ClusterClient) -> list[int]:
    """Accounts that their cluster has not heard of."""
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    return sorted([await client.cast.account(partner, 1) for _ in range(MANY)])


async def reconciled(client: ClusterClient) -> None:
    await provisioning_jobs.reconcile(client.services, str(client.region_id))


async def told(client: ClusterClient) -> int:
    (count,) = await client.cast.row("select count(*) from storage_account where applied_revision > 0")
    return count


async def trouble(client: ClusterClient) -> str | None:
    (sentence,) = await client.cast.row("select trouble from region where id = %s", client.region_id)
    return sentence


async def on_the_cluster(client: ClusterClient, accounts: list[int]) -> int:
    backend = await client.backends.of(client.region_id)
    return len({account async for account in backend.accounts()} & set(accounts))


async def test_killed_in_the_middle_it_goes_on_where_it_was(client: ClusterClient, own_gateway: Gateway) -> None:
    accounts = await many(client)
    going = asyncio.create_task(reconciled(client))
    while not await on_the_cluster(client, accounts):
        assert not going.done()
    own_gateway.kill()
    with pytest.raises(Unavailable):
        await going
    assert "cannot be reached" in (await trouble(client) or "")
    assert await told(client) < MANY
    own_gateway.start()  # not in another thread, with whose end it would be killed
    patient = OpenBackends(client.database, client.key_file)
    # Its successor makes those wait that change a user at first.
    await reconcile(client.database, await patient.of(client.region_id), client.region_id)
    await patient.close()
    assert (await told(client), await on_the_cluster(client, accounts)) == (MANY, MANY)


async def test_a_stalled_one_is_not_waited_for_account_by_account(client: ClusterClient, own_gateway: Gateway) -> None:
    await many(client)
    own_gateway.stall()
    try:
        # Of 60 accounts 16 are told at a time, and with the first of these it gives up.
        async with asyncio.timeout(MANY / 16 * BRISK.read):
            with pytest.raises(Unavailable, match="did not answer in time"):
                await reconciled(client)
    finally:
        own_gateway.go_on()
    assert (await told(client), "did not answer" in (await trouble(client) or "")) == (0, True)
    await regions.check_all(client.services)
    assert await trouble(client) is None


async def test_with_wrong_credentials_everything_waits_for_the_operator(
    client: ClusterClient, own_gateway: Gateway
) -> None:
    accounts = await many(client)

    async def connect_with(secret: str) -> None:
        reached = Reached(own_gateway.address, own_gateway.access_key, secret)
        await client.database.transaction(
            regions.connect_region, client.cast.operator, "on-ceph", reached, client.clock(), client.key_file
        )

    await connect_with("not-the-secret")
    with pytest.raises(Misconfigured):
        await reconciled(client)
    assert "refuses the access key or the secret" in (await trouble(client) or "")
    assert (await told(client), await on_the_cluster_of(own_gateway, accounts)) == (0, 0)
    await connect_with(own_gateway.secret_key)
    assert await trouble(client) is None
    assert "provisioning.full_reconcile" in await client.work()
    assert await told(client) == MANY


async def on_the_cluster_of(gateway: Gateway, accounts: list[int]) -> int:
    listed = await asyncio.to_thread(gateway.admin, "user", "list")
    return sum(str(account) in listed for account in accounts)


async def test_without_the_keys_that_open_the_credentials_everything_waits(client: ClusterClient) -> None:
    await many(client)
    backends = OpenBackends(client.database, None)
    with pytest.raises(Misconfigured, match="TONNAGE_SECRET_KEY_FILE"):
        await provisioning_jobs.reconcile(replace(client.services, backends=backends), str(client.region_id))
    assert "cannot be decrypted" in (await trouble(client) or "")


async def test_two_who_tell_at_once_do_no_harm(client: ClusterClient) -> None:
    accounts = await many(client)
    async with connect(client.conninfo) as other:
        backends = OpenBackends(other, client.key_file)
        await asyncio.gather(
            reconcile(client.database, await backends.of(client.region_id), client.region_id),
            reconcile(other, await backends.of(client.region_id), client.region_id),
        )
        await backends.close()
    # Each has seen of some accounts that the other had told them too, so these are told again.
    assert set(await client.work()) == {
        "provisioning.verify_identity",
        "provisioning.reconcile",
        "provisioning.full_reconcile",
    }
    assert (await told(client), await on_the_cluster(client, accounts)) == (MANY, MANY)
