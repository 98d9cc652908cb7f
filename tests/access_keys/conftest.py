"""A gateway behind a proxy that delays requests and drops answers."""

from collections.abc import AsyncGenerator

import pytest

from tests.access_keys.faulty_proxy import FaultyProxy, faulty_proxy
from tests.ceph_client import REGION, ClusterClient
from tonnage.regions import actions as regions
from tonnage.regions.region import Gateway as Reached


@pytest.fixture
async def proxy(client: ClusterClient) -> AsyncGenerator[FaultyProxy]:
    """The address of the region's gateway."""
    async with faulty_proxy(client.gateway) as proxy:
        reached = Reached(proxy.address, client.admin.access_key, client.admin.secret_key)
        await client.database.transaction(
            regions.connect_region, client.cast.operator, REGION, reached, client.clock(), client.key_file
        )
        await client.mark_verified()
        yield proxy
