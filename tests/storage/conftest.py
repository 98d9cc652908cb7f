"""A real gateway, one per worker, started by the first test that needs it; and accounts on it."""

import itertools
from collections.abc import AsyncGenerator, Callable

import pytest

from testbed.gateway import Gateway
from tests.storage.customer import Customer
from tonnage.storage.admin_ops import Timeouts
from tonnage.storage.backend import AccessKey, DesiredAccount
from tonnage.storage.ceph import CephBackend

SHORT_TIMEOUTS = Timeouts(connect=1, read=0.4, key=1, purge=30, pause=0.02)
"""For tests in which the gateway does not answer."""

MODERATE_TIMEOUTS = Timeouts(connect=2, read=3, key=3, purge=30, pause=0.02)
"""For tests in which it also answers: long enough for a busy machine."""


@pytest.fixture
async def backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    opened = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key))
    yield opened
    await opened.close()


@pytest.fixture
async def impatient_backend(gateway: Gateway) -> AsyncGenerator[CephBackend]:
    opened = CephBackend(gateway.address, AccessKey(gateway.access_key, gateway.secret_key), SHORT_TIMEOUTS)
    yield opened
    await opened.close()


_ids = itertools.count(100_000_000_000)


@pytest.fixture
def desired() -> DesiredAccount:
    """An account of this test alone, not yet on the cluster. Its quota is 1 MB."""
    account_id = next(_ids)
    return DesiredAccount(account_id, "Customer", f"{account_id}@customer.example", 1_000_000)


@pytest.fixture
def new_key() -> Callable[[], str]:
    """Names for access keys."""
    return lambda: f"TEST{next(_ids)}"


@pytest.fixture
async def customer(gateway: Gateway, backend: CephBackend, desired: DesiredAccount) -> AsyncGenerator[Customer]:
    """An S3 client with a key of the account `desired`, which is on the cluster."""
    await backend.apply(desired)
    key = await backend.create_key(desired.user, f"CUSTOMER{desired.account_id}")
    with Customer(gateway, key) as somebody:
        yield somebody
