"""A gateway that dies, stalls or turns us away while accounts are being told, and two who tell at once."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.clustered import ClusterHouse, on_cluster
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
async def house(
    new_database: Callable[[], AbstractContextManager[str]], own_gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterHouse]:
    """With little patience."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, own_gateway, tmp_path / "keys", BRISK) as opened:
            yield opened


async def many(house: ClusterHouse) -> list[int]:
    """Accounts that their cluster has not heard of."""
    distributor = await house.cast.distributor()
    partner = await house.cast.partner(distributor, await house.cast.contract(distributor))
    return sorted([await house.cast.account(partner, 1) for _ in range(MANY)])


async def reconciled(house: ClusterHouse) -> None:
    await provisioning_jobs.reconcile(house.services, str(house.region_id))


async def told(house: ClusterHouse) -> int:
    (count,) = await house.cast.row("select count(*) from storage_account where applied_revision > 0")
    return count


async def trouble(house: ClusterHouse) -> str | None:
    (sentence,) = await house.cast.row("select trouble from region where id = %s", house.region_id)
    return sentence


async def on_the_cluster(house: ClusterHouse, accounts: list[int]) -> int:
    backend = await house.backends.of(house.region_id)
    return len({account async for account in backend.accounts()} & set(accounts))


async def test_killed_in_the_middle_it_goes_on_where_it_was(house: ClusterHouse, own_gateway: Gateway) -> None:
    accounts = await many(house)
    going = asyncio.create_task(reconciled(house))
    while not await on_the_cluster(house, accounts):
        assert not going.done()
    own_gateway.kill()
    with pytest.raises(Unavailable):
        await going
    assert "cannot be reached" in (await trouble(house) or "")
    assert await told(house) < MANY
    own_gateway.start()  # not in another thread, with whose end it would be killed
    patient = OpenBackends(house.database, house.key_file)
    # Its successor makes those wait that change a user at first.
    await reconcile(house.database, await patient.of(house.region_id), house.region_id)
    await patient.close()
    assert (await told(house), await on_the_cluster(house, accounts)) == (MANY, MANY)


async def test_a_stalled_one_is_not_waited_for_account_by_account(house: ClusterHouse, own_gateway: Gateway) -> None:
    await many(house)
    own_gateway.stall()
    try:
        # Of 60 accounts 16 are told at a time, and with the first of these it gives up.
        async with asyncio.timeout(MANY / 16 * BRISK.read):
            with pytest.raises(Unavailable, match="does not answer in time"):
                await reconciled(house)
    finally:
        own_gateway.go_on()
    assert (await told(house), "does not answer" in (await trouble(house) or "")) == (0, True)
    await regions.check_all(house.services)
    assert await trouble(house) is None


async def test_with_wrong_credentials_everything_waits_for_the_operator(
    house: ClusterHouse, own_gateway: Gateway
) -> None:
    accounts = await many(house)

    async def connect_with(secret: str) -> None:
        reached = Reached(own_gateway.address, own_gateway.access_key, secret)
        await house.database.transaction(
            regions.connect_region, house.cast.operator, "on-ceph", reached, house.clock(), house.key_file
        )

    await connect_with("not-the-secret")
    with pytest.raises(Misconfigured):
        await reconciled(house)
    assert "refuses the access key or the secret" in (await trouble(house) or "")
    assert (await told(house), await on_the_cluster_of(own_gateway, accounts)) == (0, 0)
    await connect_with(own_gateway.secret_key)
    assert await trouble(house) is None
    assert "provisioning.full_reconcile" in await house.work()
    assert await told(house) == MANY


async def on_the_cluster_of(gateway: Gateway, accounts: list[int]) -> int:
    listed = await asyncio.to_thread(gateway.admin, "user", "list")
    return sum(str(account) in listed for account in accounts)


async def test_without_the_keys_that_open_the_credentials_everything_waits(house: ClusterHouse) -> None:
    await many(house)
    backends = OpenBackends(house.database, None)
    with pytest.raises(Misconfigured, match="TONNAGE_SECRET_KEY_FILE"):
        await provisioning_jobs.reconcile(replace(house.services, backends=backends), str(house.region_id))
    assert "cannot be opened" in (await trouble(house) or "")


async def test_two_who_tell_at_once_do_no_harm(house: ClusterHouse) -> None:
    accounts = await many(house)
    async with connect(house.conninfo) as other:
        backends = OpenBackends(other, house.key_file)
        await asyncio.gather(
            reconcile(house.database, await backends.of(house.region_id), house.region_id),
            reconcile(other, await backends.of(house.region_id), house.region_id),
        )
        await backends.close()
    # Each has seen of some accounts that the other had told them too, so these are told again.
    assert set(await house.work()) == {
        "provisioning.verify_identity",
        "provisioning.reconcile",
        "provisioning.full_reconcile",
    }
    assert (await told(house), await on_the_cluster(house, accounts)) == (MANY, MANY)
