"""The purge of an account on a real gateway."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from testbed.gateway import Gateway
from tests.storage.conftest import SHORT_TIMEOUTS
from tests.storage.customer import Customer
from tonnage.errors import Unavailable
from tonnage.storage.admin_ops import Timeouts
from tonnage.storage.backend import AccessKey, DesiredAccount, Usage
from tonnage.storage.ceph import CephBackend

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


def _fill(customer: Customer, objects: int) -> None:
    """Creates `objects` objects, half of them versions of others; a delete marker; an incomplete upload."""
    s3 = customer.s3
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    names = [f"object {number}" for number in range(objects // 2)] * 2
    with ThreadPoolExecutor(4) as several:
        assert set(several.map(partial(customer.stores, "versions", 10), names)) == {"done"}
    s3.delete_object(Bucket="versions", Key="object 1")
    upload = s3.create_multipart_upload(Bucket="versions", Key="parts")["UploadId"]
    s3.upload_part(Bucket="versions", Key="parts", UploadId=upload, PartNumber=1, Body=b"x" * 500)


async def test_a_purge_is_complete_and_repeatable(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    _fill(customer, 1_000)
    assert (await backend.usage(desired.user) or Usage(0, 0)).objects >= 1_000
    await backend.purge(desired.user)
    assert await backend.state(desired.user) is None
    assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    await backend.purge(desired.user)
    # An account with the same id starts empty.
    assert await backend.apply(desired) == ("account",)
    assert await backend.usage(desired.user) == Usage(0, 0)
    assert await backend.keys(desired.user) == ()


async def test_a_purge_of_an_unknown_account(backend: CephBackend, desired: DesiredAccount) -> None:
    await backend.purge(desired.user)


async def test_an_object_lock_ends_with_its_account(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    customer.s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    version = customer.put_locked("locked", datetime.now(UTC) + timedelta(days=365))
    assert customer.attempt("delete_object", Bucket="locked", Key="locked", VersionId=version) == "AccessDenied"
    await backend.purge(desired.user)
    assert await backend.state(desired.user) is None


async def test_a_purge_completes_after_our_timeout(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    _fill(customer, 200)
    impatient = CephBackend(
        gateway.address,
        AccessKey(gateway.access_key, gateway.secret_key),
        Timeouts(connect=SHORT_TIMEOUTS.connect, purge=0.05),
    )
    with pytest.raises(Unavailable, match="in time"):
        await impatient.purge(desired.user)
    await impatient.close()
    assert customer.stores("versions", 10) != "done"
    for _ in range(100):
        try:
            await backend.purge(desired.user)
            break
        except Unavailable:
            await asyncio.sleep(0.1)
    assert desired.account_id not in [account_id async for account_id in backend.accounts()]
