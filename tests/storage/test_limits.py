"""Limits that a real gateway enforces: quota, read-only, suspension. All of them hold from the next request on."""

from dataclasses import replace

import pytest

from testbed.gateway import Gateway
from tests.storage.customer import Customer
from tonnage.storage.backend import Access, DesiredAccount
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_account import uid

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def test_the_quota_is_exact_to_the_byte(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    customer.s3.create_bucket(Bucket="data")
    await backend.apply(replace(desired, quota=10_001))
    assert customer.stores("data", 5_000, "a") == "done"
    assert customer.stores("data", 5_002, "b") == "QuotaExceeded"
    assert customer.stores("data", 5_001, "b") == "done"
    assert customer.stores("data", 1, "c") == "QuotaExceeded"
    await backend.apply(replace(desired, quota=10_002))
    assert customer.stores("data", 1, "c") == "done"
    assert customer.attempt("delete_object", Bucket="data", Key="a") == "done"
    assert customer.stores("data", 5_000, "d") == "done"


async def test_below_what_is_stored_nothing_is_lost_and_nothing_gets_in(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 9_000) == "done"
    await backend.apply(replace(desired, quota=1_000))
    assert customer.stores("data", 0, "empty") == "QuotaExceeded"
    assert customer.attempt("get_object", Bucket="data", Key="object") == "done"
    assert customer.attempt("delete_object", Bucket="data", Key="object") == "done"
    assert customer.stores("data", 1_000) == "done"


async def test_unlimited_and_then_limited_at_once(
    backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    await backend.apply(replace(desired, quota=None))
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 2_000_000) == "done"
    await backend.apply(replace(desired, quota=2_000_001))
    assert customer.stores("data", 2, "more") == "QuotaExceeded"
    assert customer.stores("data", 1, "more") == "done"


async def test_a_quota_that_was_switched_off_meanwhile_knows_what_was_stored(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, customer: Customer
) -> None:
    gateway.admin("quota", "disable", "--quota-scope=user", "--uid", uid(desired.account_id))
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 1_000_000) == "done"
    assert await backend.apply(desired) == ("quota",)
    assert customer.stores("data", 1, "more") == "QuotaExceeded"


async def test_read_only_and_restored(backend: CephBackend, desired: DesiredAccount, customer: Customer) -> None:
    customer.s3.create_bucket(Bucket="data")
    assert customer.stores("data", 1_000) == "done"
    assert await backend.apply(replace(desired, access=Access.READ_ONLY)) == ("access", "quota")
    for reads in ("list_objects_v2", "list_object_versions", "head_bucket"):
        assert customer.attempt(reads, Bucket="data") == "done"
    assert customer.attempt("get_object", Bucket="data", Key="object") == "done"
    assert customer.stores("data", 1_000) == "AccessDenied"
    assert customer.attempt("delete_object", Bucket="data", Key="object") == "AccessDenied"
    assert customer.attempt("create_bucket", Bucket="another") == "AccessDenied"
    assert customer.attempt("delete_bucket", Bucket="data") == "AccessDenied"
    assert customer.attempt("create_multipart_upload", Bucket="data", Key="parts") == "AccessDenied"
    assert await backend.apply(desired) == ("access", "quota")
    assert customer.stores("data", 2_000) == "done"
    assert customer.attempt("create_bucket", Bucket="another") == "done"


async def test_suspended_and_restored(backend: CephBackend, desired: DesiredAccount, customer: Customer) -> None:
    customer.s3.create_bucket(Bucket="data")
    assert await backend.apply(replace(desired, access=Access.SUSPENDED)) == ("access", "quota")
    assert customer.attempt("list_buckets") == "UserSuspended"
    assert customer.stores("data", 1) == "UserSuspended"
    assert await backend.apply(replace(desired, access=Access.READ_ONLY)) == ("access",)
    assert customer.attempt("list_buckets") == "done"
    assert customer.stores("data", 1) == "AccessDenied"
    assert await backend.apply(desired) == ("access", "quota")
    assert customer.stores("data", 1) == "done"


@pytest.mark.parametrize(("access", "reading"), [(Access.READ_ONLY, 200), (Access.SUSPENDED, 403)])
async def test_a_guest_stores_nothing_either(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, customer: Customer, access: Access, reading: int
) -> None:
    other = replace(desired, account_id=desired.account_id + 700_000_000_000, email=f"{desired.account_id}@g.example")
    await backend.apply(other)
    with Customer(gateway, await backend.create_key(other.user, f"GUEST{other.account_id}")) as guest:
        customer.s3.create_bucket(Bucket="shared")
        assert customer.stores("shared", 1, "object") == "done"
        customer.grant_access(other.account_id, "shared")
        assert guest.request_other_account("PUT", desired.account_id, "shared/guest", b"1") == 200
        await backend.apply(replace(desired, access=access))
        assert guest.request_other_account("PUT", desired.account_id, "shared/another", b"1") == 403
        assert guest.request_other_account("PUT", desired.account_id, "shared/empty", b"") == 403
        assert guest.request_other_account("GET", desired.account_id, "shared/object") == reading
        # Known and documented: Ceph cannot keep a guest with access by the owner's policy from deleting.
        assert guest.request_other_account("DELETE", desired.account_id, "shared/guest") == 204
