"""Access keys on a real gateway."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from testbed.gateway import Gateway
from tests.storage.customer import Customer
from tonnage.errors import Conflict, Unavailable
from tonnage.storage.backend import MAX_ACCESS_KEYS, AccessKey, ClusterUser, DesiredAccount
from tonnage.storage.ceph import CephBackend
from tonnage.storage.errors import BackendRefused, NotProvisioned

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


async def test_a_rotation_has_no_gap_and_a_deleted_key_dies_at_once(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, new_key: Callable[[], str]
) -> None:
    await backend.apply(desired)
    old, new = [await backend.create_key(desired.user, new_key()) for _ in range(2)]
    assert await backend.keys(desired.user) == tuple(sorted((old.access_key, new.access_key)))
    with Customer(gateway, old) as before, Customer(gateway, new) as after:
        assert (before.attempt("list_buckets"), after.attempt("list_buckets")) == ("done", "done")
        await backend.delete_key(desired.user, old.access_key)
        assert (before.attempt("list_buckets"), after.attempt("list_buckets")) == ("InvalidAccessKeyId", "done")
    await backend.delete_key(desired.user, old.access_key)
    assert await backend.keys(desired.user) == (new.access_key,)
    assert await backend.apply(desired) == ()


async def test_asked_again_a_key_has_a_new_secret(
    gateway: Gateway, backend: CephBackend, desired: DesiredAccount, new_key: Callable[[], str]
) -> None:
    await backend.apply(desired)
    name = new_key()
    lost, found = [await backend.create_key(desired.user, name) for _ in range(2)]
    with Customer(gateway, lost) as before, Customer(gateway, found) as after:
        assert (before.attempt("list_buckets"), after.attempt("list_buckets")) == ("SignatureDoesNotMatch", "done")
    assert await backend.keys(desired.user) == (name,)


async def test_the_number_of_keys_is_limited(
    backend: CephBackend, desired: DesiredAccount, new_key: Callable[[], str]
) -> None:
    await backend.apply(desired)
    names = [new_key() for _ in range(MAX_ACCESS_KEYS)]
    for name in names:
        await backend.create_key(desired.user, name)
    with pytest.raises(Conflict, match="has 10 access keys"):
        await backend.create_key(desired.user, new_key())
    await backend.create_key(desired.user, names[0])
    assert len(await backend.keys(desired.user)) == MAX_ACCESS_KEYS


async def test_changes_of_one_account_at_once_lose_nothing(
    backend: CephBackend, desired: DesiredAccount, new_key: Callable[[], str]
) -> None:
    await backend.apply(desired)
    names = [new_key() for _ in range(4)]
    changes = [backend.apply(replace(desired, quota=quota, display_name=str(quota))) for quota in range(3)]
    ended = await asyncio.gather(
        *(backend.create_key(desired.user, name) for name in names), *changes, return_exceptions=True
    )
    made = [end.access_key for end in ended if isinstance(end, AccessKey)]
    assert set(made) <= set(await backend.keys(desired.user))
    # Ceph answers 500 to the later of two requests. With retries seven at once mostly succeed, but need not.
    assert {type(end) for end in ended} <= {AccessKey, tuple, Unavailable}
    await backend.apply(desired)
    assert await backend.apply(desired) == ()


async def test_another_accounts_key_is_neither_taken_nor_deleted(
    backend: CephBackend, desired: DesiredAccount, customer: Customer, new_key: Callable[[], str]
) -> None:
    theirs = (await backend.keys(desired.user))[0]
    other = DesiredAccount(desired.account_id + 800_000_000_000, "Other", "keys@x.example", 0)
    await backend.apply(other)
    with pytest.raises(BackendRefused, match="access key of this name"):
        await backend.create_key(ClusterUser(other.account_id), theirs)
    await backend.delete_key(ClusterUser(other.account_id), theirs)
    assert customer.attempt("list_buckets") == "done"


async def test_without_an_account_no_key_is_created(
    backend: CephBackend, desired: DesiredAccount, new_key: Callable[[], str]
) -> None:
    with pytest.raises(NotProvisioned):
        await backend.create_key(desired.user, new_key())
    with pytest.raises(NotProvisioned):
        await backend.keys(desired.user)
    await backend.delete_key(desired.user, new_key())


async def test_no_secret_is_ever_written(
    gateway: Gateway,
    backend: CephBackend,
    desired: DesiredAccount,
    new_key: Callable[[], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await backend.apply(desired)
    made = await backend.create_key(desired.user, new_key())
    await backend.delete_key(desired.user, made.access_key)
    written = caplog.text + gateway.log() + repr(backend) + repr(made)
    assert made.access_key in gateway.log()
    assert (made.secret_key in written, gateway.secret_key in written) == (False, False)
