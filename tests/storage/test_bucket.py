"""Tonnage's own bucket on a real gateway: what exactly one of several writers creates, by the cluster's own clock."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from testbed.gateway import Gateway
from tests.ceph_client import new_admin
from tonnage.storage.admin_ops import AdminOps, Timeouts
from tonnage.storage.backend import AccessKey
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_bucket import BUCKET
from tonnage.storage.errors import Misconfigured

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
async def backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    """Of a user without any bucket."""
    opened = CephBackend(gateway.address, await new_admin(gateway))
    yield opened
    await opened.close()


async def test_it_is_created_with_its_first_object(backend: CephBackend) -> None:
    bucket = backend.bucket
    assert not await bucket.exists()
    assert (await bucket.objects("")).objects == ()
    assert await bucket.read("epoch/1") is None
    await bucket.delete("epoch/1")
    assert await bucket.create("epoch/1", b"first")
    assert await bucket.exists()
    assert not await bucket.create("epoch/1", b"second")
    assert await bucket.read("epoch/1") == b"first"
    await bucket.delete("epoch/1")
    assert await bucket.read("epoch/1") is None


async def test_one_of_many_concurrent_writers_creates_an_object(backend: CephBackend) -> None:
    await backend.bucket.create("other")
    created = await asyncio.gather(*(backend.bucket.create("epoch/1", b"%d" % one) for one in range(10)))
    assert sorted(created) == [False] * 9 + [True]
    assert await backend.bucket.read("epoch/1") == b"%d" % created.index(True)


async def test_objects_are_listed_by_prefix_and_with_the_times_of_the_cluster(backend: CephBackend) -> None:
    keys = [f"waiting/{100_000_000_000 + number}/since" for number in range(3)]
    for key in (*keys, "epoch/1"):
        await backend.bucket.create(key)
    found = await backend.bucket.objects("waiting/")
    assert [one.key for one in found.objects] == keys
    for one in found.objects:
        assert timedelta(seconds=-1) <= found.now - one.modified < timedelta(minutes=1)
    # The gateway runs on this machine.
    assert abs(found.now - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_long_list_is_read_in_pages(gateway: Gateway) -> None:
    backend = CephBackend(gateway.address, await new_admin(gateway), page_size=2)
    try:
        keys = [f"waiting/{number}" for number in range(5)]
        for key in keys:
            await backend.bucket.create(key)
        assert [one.key for one in (await backend.bucket.objects("waiting/")).objects] == keys
    finally:
        await backend.close()


async def test_a_bucket_of_another_user_is_refused(gateway: Gateway) -> None:
    """The tenant is the same, as it is for the admin users of two installations."""
    main = AccessKey(gateway.access_key, gateway.secret_key)
    ops, other = AdminOps(gateway.address, main, Timeouts()), AccessKey("OTHERADMIN00000000", "secret")
    owner, second = CephBackend(gateway.address, main), CephBackend(gateway.address, other)
    try:
        await owner.bucket.create("test")
        user = {"uid": "other-admin", "display-name": "Other", "user-caps": "users=*;usage=*"}
        await ops.call("PUT", "user", {**user, "access-key": other.access_key, "secret-key": other.secret_key})
        with pytest.raises(Misconfigured, match=f"The bucket {BUCKET} .* cannot be used"):
            await second.bucket.create("test")
        assert any(BUCKET in problem for problem in (await second.check()).problems)
    finally:
        for backend in (owner, second):
            await backend.close()
        await ops.close()


async def test_a_user_that_may_create_no_bucket_is_a_problem(gateway: Gateway) -> None:
    admin = await new_admin(gateway, max_buckets="-1")
    backend = CephBackend(gateway.address, admin)
    try:
        assert any("maximum number of buckets" in problem for problem in (await backend.check()).problems)
        with pytest.raises(Misconfigured, match="may not create buckets"):
            await backend.bucket.create("test")
    finally:
        await backend.close()
