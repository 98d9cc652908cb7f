"""A real gateway, one per worker, started by the first test that wants it; and accounts on it."""

import itertools
from collections.abc import AsyncGenerator, Callable, Generator

import pytest

from tests.rgw import ABSENT, Gateway
from tests.storage.customer import Customer
from tonnage.storage.admin_ops import Patience
from tonnage.storage.ceph import CephPlane
from tonnage.storage.plane import AccessKey, DesiredAccount

HASTE = Patience(connect=1, read=0.4, key=1, purge=30, pause=0.02)
"""For tests in which the gateway does not answer."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without Ceph the summary has one line about all of these tests: skips from one place are counted together."""
    if ABSENT and item.get_closest_marker("ceph"):
        pytest.skip(ABSENT)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """Tests share it: make your own accounts, never count on emptiness, and leave it running."""
    started = Gateway(tmp_path_factory.mktemp("rgw"))
    yield started
    started.remove()


@pytest.fixture
async def plane(gateway: Gateway) -> AsyncGenerator[CephPlane]:
    opened = CephPlane(gateway.address, AccessKey(gateway.access_key, gateway.secret_key))
    yield opened
    await opened.close()


@pytest.fixture
async def hasty(gateway: Gateway) -> AsyncGenerator[CephPlane]:
    opened = CephPlane(gateway.address, AccessKey(gateway.access_key, gateway.secret_key), HASTE)
    yield opened
    await opened.close()


_ids = itertools.count(100_000_000_000)


@pytest.fixture
def desired() -> DesiredAccount:
    """An account that no other test has, not yet on the cluster. It may store 1 MB."""
    account_id = next(_ids)
    return DesiredAccount(account_id, "Customer", f"{account_id}@customer.example", 1_000_000)


@pytest.fixture
def new_key() -> Callable[[], str]:
    """Names for access keys."""
    return lambda: f"TEST{next(_ids)}"


@pytest.fixture
async def customer(gateway: Gateway, plane: CephPlane, desired: DesiredAccount) -> AsyncGenerator[Customer]:
    """Whoever owns the account `desired`, which is on the cluster, and has a key for it."""
    await plane.apply(desired)
    key = await plane.create_key(desired.account_id, f"CUSTOMER{desired.account_id}")
    with Customer(gateway, key) as somebody:
        yield somebody
