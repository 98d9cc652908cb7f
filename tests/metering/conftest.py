"""Applications whose only region is on a real gateway."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from testbed.gateway import Gateway
from tests.ceph_client import ClusterClient, on_cluster
from tests.metering.sampled import SampledData, sampled
from tests.storage.conftest import MODERATE_TIMEOUTS

Databases = Callable[[], AbstractContextManager[str]]


@pytest.fixture
async def client(new_database: Databases, gateway: Gateway, tmp_path: Path) -> AsyncGenerator[ClusterClient]:
    """On the worker's gateway, in a database of its own. No worker runs its jobs."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as opened:
            yield opened


@pytest.fixture
async def data(client: ClusterClient) -> AsyncGenerator[SampledData]:
    async with sampled(client) as opened:
        yield opened


@pytest.fixture(scope="session")
def own_gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """For drills: a test that kills or stalls it also restarts it."""
    started = Gateway(tmp_path_factory.mktemp("drill"))
    yield started
    started.remove()


@pytest.fixture
async def drill(new_database: Databases, own_gateway: Gateway, tmp_path: Path) -> AsyncGenerator[SampledData]:
    """On a gateway that may be killed, with short time limits."""
    with new_database() as conninfo:
        async with (
            on_cluster(conninfo, own_gateway, tmp_path / "keys", MODERATE_TIMEOUTS) as client,
            sampled(client, MODERATE_TIMEOUTS) as opened,
        ):
            yield opened
