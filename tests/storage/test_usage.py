"""The usage and traffic that a real gateway counts."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.storage.customer import Customer
from tonnage.storage.backend import ClusterUser, DesiredAccount, Traffic, Usage
from tonnage.storage.ceph import CephBackend
from tonnage.utc import hour_of

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

HOUR = timedelta(hours=1)


async def test_usage_is_exact_the_moment_after_an_upload(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    assert await backend.usage(desired.user) == Usage(0, 0)
    for number, bucket in enumerate(("first", "second", "third"), start=1):
        customer.s3.create_bucket(Bucket=bucket)
        assert customer.stores(bucket, 12_345) == "done"
        assert await backend.usage(desired.user) == Usage(12_345 * number, number)
    assert customer.attempt("delete_object", Bucket="first", Key="object") == "done"
    assert await backend.usage(desired.user) == Usage(24_690, 2)


async def test_versions_and_parts_count(backend: CephBackend, desired: DesiredAccount, customer: Customer) -> None:
    s3 = customer.s3
    s3.create_bucket(Bucket="data")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        assert customer.stores("data", 1_000) == "done"
    upload = s3.create_multipart_upload(Bucket="data", Key="parts")["UploadId"]
    s3.upload_part(Bucket="data", Key="parts", UploadId=upload, PartNumber=1, Body=b"x" * 500)
    used = await backend.usage(desired.user)
    assert used is not None
    assert used.bytes == 3_500


async def test_an_unknown_account_has_no_usage(backend: CephBackend, desired: DesiredAccount) -> None:
    assert await backend.usage(desired.user) is None


async def _traffic(backend: CephBackend, account_id: int, since: datetime) -> list[Traffic]:
    until = datetime.now(UTC) + HOUR
    return [traffic async for traffic in backend.traffic(since, until, {}) if traffic.account_id == account_id]


async def test_traffic_is_read_twice_and_trimmed_without_loss(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    since = datetime.now(UTC)
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 3_000) == "done"
    for _ in range(2):
        customer.s3.get_object(Bucket="data", Key="object")["Body"].read()
    # Traffic of anonymous readers is the owner's.
    customer.s3.put_object_acl(Bucket="data", Key="object", ACL="public-read")
    assert len(customer.read_anonymously(desired.account_id, "data/object")) == 3_000
    first = await _written(backend, desired.account_id, since, requests=6)
    assert sum(traffic.sent for traffic in first) == 9_000
    assert sum(traffic.received for traffic in first) == 3_000
    assert sum(traffic.requests for traffic in first) == 6
    assert all(traffic.hour == hour_of(traffic.hour) for traffic in first)
    assert await _traffic(backend, desired.account_id, since) == first
    # The running hour is not trimmed, nor are other accounts by trimming one without traffic.
    await backend.trim_traffic(desired.user, first[0].hour + timedelta(minutes=59))
    await backend.trim_traffic(ClusterUser(desired.account_id + 1), datetime.now(UTC) + HOUR)
    assert await _traffic(backend, desired.account_id, since) == first
    await backend.trim_traffic(desired.user, datetime.now(UTC) + HOUR)
    assert await _traffic(backend, desired.account_id, since) == []


async def _written(backend: CephBackend, account_id: int, since: datetime, *, requests: int) -> list[Traffic]:
    """Waits until the gateway's log has the requests: it writes the log once a second."""
    deadline = time.monotonic() + 10
    while True:
        found = await _traffic(backend, account_id, since)
        if sum(traffic.requests for traffic in found) >= requests:
            return found
        assert time.monotonic() < deadline, f"the usage log has only {found}"
        await asyncio.sleep(0.1)
