"""Houses with a region on a real gateway."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox.gateway import Gateway
from tests.clustered import ClusterHouse, on_cluster


@pytest.fixture
async def cluster_house(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterHouse]:
    """On the worker's gateway, in a database of its own. No worker runs its jobs."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as house:
            yield house
