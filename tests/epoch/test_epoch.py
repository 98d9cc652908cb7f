"""A database that is older than what was done is recognised, wherever that is recorded; a current one never is."""

import asyncio
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.cast import TB
from tests.ceph_client import ClusterClient, on_cluster
from tonnage.access_keys.clean_up_actions import clean_up_keys
from tonnage.access_keys.queries import keys_of
from tonnage.epoch.actions import advance, check, permit_changes, require_running
from tonnage.epoch.epoch import OnHold
from tonnage.epoch.queries import installation, require_permit
from tonnage.epoch.record import PREFIX, object_key, recorded
from tonnage.epoch.record_actions import remove_foreign
from tonnage.jobs.declaration import DECLARED
from tonnage.provisioning.actions import reconcile
from tonnage.regions.actions import check as check_region
from tonnage.services import SeenEpoch, Services
from tonnage.state_file import StateFile
from tonnage.storage.backend import ClusterUser
from tonnage.storage.bucket import Bucket
from tonnage.storage.errors import Misconfigured
from tonnage.worker import perform

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys", data_dir=tmp_path / "data") as client:
            yield client


async def bucket_of(client: ClusterClient) -> Bucket:
    bucket = (await client.backend()).bucket
    assert bucket is not None
    return bucket


async def outside(client: ClusterClient) -> list[int]:
    """The epochs in memory, in the file and on the cluster."""
    found = await client.database.run(installation)
    services = client.services
    assert services.data_dir is not None
    there = recorded(await (await bucket_of(client)).objects(PREFIX))
    return [services.seen.epoch, StateFile(services.data_dir, found.id).read().epoch, there.get(str(found.id), 0)]


async def inside(client: ClusterClient) -> int:
    return (await client.database.run(installation)).epoch


async def set_back(client: ClusterClient, by: int = 3) -> None:
    await client.cast.row("update installation set epoch = epoch - %s returning epoch", by)


def elsewhere(client: ClusterClient, data_dir: Path | None = None) -> Services:
    """A process on another machine: it has seen nothing yet."""
    return replace(client.services, seen=SeenEpoch(), data_dir=data_dir)


async def test_nothing_outside_is_no_hold(client: ClusterClient) -> None:
    assert await check(client.services) is None
    assert await outside(client) == [1, 0, 0]
    await require_running(client.services)


async def test_the_epoch_is_the_same_everywhere(client: ClusterClient) -> None:
    for _ in range(3):
        await advance(client.services)
        assert await outside(client) == [await inside(client)] * 3
    assert len((await (await bucket_of(client)).objects(PREFIX)).objects) == 1, "lower ones are removed"
    permitted = await client.permit_changes()
    assert permitted.epoch == await inside(client)
    assert await outside(client) == [permitted.epoch] * 3
    assert await check(client.services) is None


async def test_the_file_is_for_its_owner_alone(client: ClusterClient) -> None:
    await advance(client.services)
    assert client.services.data_dir is not None
    (file,) = client.services.data_dir.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(client.services.data_dir.stat().st_mode) == 0o700


@pytest.mark.parametrize("place", ["this process", "the data directory", "the cluster of the region on-ceph"])
async def test_each_place_alone_recognises_an_older_database(client: ClusterClient, place: str) -> None:
    for _ in range(4):
        await advance(client.services)
    if place != "this process":
        client.services.seen.epoch = 0
    if place != "the data directory":
        client.app.state.services = replace(client.services, data_dir=None)
    if place.startswith("the cluster"):
        await set_back(client)
    else:
        bucket, found = await bucket_of(client), await client.database.run(installation)
        await bucket.delete(object_key(found.id, found.epoch))
        await set_back(client)
    hold = await check(client.services)
    assert hold is not None
    assert place in hold.reason


async def test_the_round_itself_looks_at_its_own_cluster(client: ClusterClient) -> None:
    """No check has run since the database was put back."""
    await client.cast.account((await client.data()).partner, TB)
    for _ in range(4):
        await advance(client.services)
    await set_back(client)
    fresh = elsewhere(client)
    backend = await client.backend()
    with pytest.raises(OnHold, match="older than what was done"):
        await permit_changes(fresh, client.region_id, backend)
    with pytest.raises(OnHold):
        await permit_changes(fresh, client.region_id, backend)
    assert await client.cast.row("select held_since is not null, held_epoch - epoch from installation") == (True, 3)
    with pytest.raises(OnHold):
        await perform(fresh, DECLARED["provisioning.reconcile"], str(client.region_id))
    assert await client.cast.row("select sum(applied_revision)::int from storage_account") == (0,)


async def test_a_database_put_in_place_during_a_round_is_recognised(client: ClusterClient) -> None:
    """Between the permission and the reading of what is going to be changed."""
    await client.cast.account((await client.data()).partner, TB)
    permitted = await client.permit_changes()
    await set_back(client, 1)
    with pytest.raises(OnHold):
        await client.database.run(require_permit, permitted)
    with pytest.raises(OnHold):
        await reconcile(client.database, await client.backend(), permitted)
    with pytest.raises(OnHold):
        await clean_up_keys(client.database, await client.backend(), permitted, client.clock.now)
    assert await client.cast.row("select sum(applied_revision)::int from storage_account") == (0,)


async def test_an_interruption_before_the_epoch_is_outside_is_no_hold(client: ClusterClient) -> None:
    """Power failure after the commit in the database."""
    await advance(client.services)
    await client.cast.row("update installation set epoch = epoch + 1 returning epoch")
    assert await check(elsewhere(client, client.services.data_dir)) is None
    await advance(client.services)
    assert await outside(client) == [await inside(client)] * 3


async def test_an_epoch_of_another_process_meanwhile_is_no_hold(client: ClusterClient) -> None:
    backend = await client.backend()
    await asyncio.gather(*(permit_changes(elsewhere(client), client.region_id, backend) for _ in range(8)))
    assert await check(elsewhere(client)) is None
    assert (await inside(client)) == 9


async def test_a_number_that_another_copy_has_recorded_at_the_same_moment(client: ClusterClient) -> None:
    await advance(client.services)
    bucket, found = await bucket_of(client), await client.database.run(installation)

    class Late:
        """A bucket in which the other copy's record appears between reading and writing."""

        async def objects(self, prefix: str) -> object:
            listing = await bucket.objects(prefix)
            await bucket.create(object_key(found.id, found.epoch + 1), b"the other copy")
            return listing

        def __getattr__(self, name: str) -> object:
            return getattr(bucket, name)

    class Copied:
        bucket = Late()

    with pytest.raises(OnHold, match="Another copy of this database"):
        await permit_changes(elsewhere(client), client.region_id, Copied())  # pyright: ignore[reportArgumentType]
    assert (await client.database.run(installation)).hold is not None


async def test_a_cluster_of_another_installation_is_refused(client: ClusterClient) -> None:
    await advance(client.services)
    await client.cast.row("update installation set id = gen_random_uuid(), epoch = 1 returning epoch")
    client.services.seen.epoch = 0
    with pytest.raises(Misconfigured, match="used by another installation"):
        await client.permit_changes()
    assert await check(client.services) is None, "it is not an older database"
    with pytest.raises(Misconfigured, match="used by another installation"):
        await client.backends.of(client.region_id)
    await check_region(client.services, client.region_id)
    (reason,) = await client.cast.row("select unhealthy_reason from region")
    assert "tonnage restore confirm --take-over on-ceph" in reason
    assert len(await remove_foreign(await bucket_of_any_state(client), (await client.database.run(installation)).id))


async def bucket_of_any_state(client: ClusterClient) -> Bucket:
    _, backend = await client.backends.any_state(client.region_id)
    assert backend.bucket is not None
    return backend.bucket


async def test_an_unreachable_cluster_stops_only_its_own_rounds(client: ClusterClient) -> None:
    where = "http://127.0.0.1:1"
    await client.cast.row("update region set admin_url = %s, connection = connection + 1 returning id", where)
    assert await check(client.services) is None
    await advance(client.services)
    assert (await outside_file(client)) == await inside(client)


async def outside_file(client: ClusterClient) -> int:
    assert client.services.data_dir is not None
    found = await client.database.run(installation)
    return StateFile(client.services.data_dir, found.id).read().epoch


async def test_a_fresh_database_on_a_known_data_directory_is_no_hold(client: ClusterClient) -> None:
    """Another installation, whose processes were not restarted in between."""
    for _ in range(3):
        await advance(client.services)
    await remove_everything(client)
    await client.cast.row("update installation set id = gen_random_uuid(), epoch = 1 returning epoch")
    assert await check(client.services) is None


async def remove_everything(client: ClusterClient) -> None:
    bucket = await bucket_of(client)
    for one in (await bucket.objects("")).objects:
        await bucket.delete(one.key)


async def test_an_access_key_of_an_older_database_is_not_deleted(client: ClusterClient) -> None:
    """Pending in the backup, created since, and in use."""
    data = await client.data()
    backend = await client.backend()
    key = f"INUSE{data.account}0"
    await backend.create_key(ClusterUser(data.account), key)
    await client.cast.row(
        """
        insert into access_key (access_key, account_id, state, created_at, changed_at)
        values (%s, %s, 'pending', %s, %s) returning 1
        """,
        key,
        data.account,
        client.clock.now,
        client.clock.now,
    )
    for _ in range(4):
        await advance(client.services)
    await set_back(client)
    client.clock.now = client.clock.now.replace(year=2027)
    with pytest.raises(OnHold):
        await perform(elsewhere(client), DECLARED["access_keys.clean_up"], str(client.region_id))
    assert await backend.keys(ClusterUser(data.account)) == (key,)
    assert key in (await client.database.run(keys_of, [data.account]))[data.account]


def test_what_destroys_repairs_or_mails_waits() -> None:
    """The other jobs that change clusters ask for the permission themselves, and go on without it."""
    assert {one.name for one in DECLARED.values() if one.waits_on_hold} == {
        "access_keys.clean_up",
        "access_keys.clean_up_all",
        "authentication.notify_blocked",
        "authentication.notify_failures",
        "authentication.send_reset",
        "contact_mails.notify",
        "devices.send_link",
        "month_end.freeze_due",
        "notices.notify",
        "notices.send",
        "notifications.notify",
        "webhooks.deliver",
        "provisioning.purge_all",
        "provisioning.purge_region",
        "provisioning.reconcile",
        "statement_mails.send_due",
        "suspensions.apply_rules",
        "suspensions.resume_settled",
    }
