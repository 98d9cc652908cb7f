"""A server that the tests of this folder may freeze, and its database."""

from collections.abc import AsyncGenerator

import pytest

from tests.frozen import FreezableServer
from tonnage.db import Database, connect


@pytest.fixture
async def server(freezable: FreezableServer) -> AsyncGenerator[FreezableServer]:
    yield freezable
    freezable.thaw()


@pytest.fixture
async def database(server: FreezableServer) -> AsyncGenerator[Database]:
    async with connect(server.conninfo) as opened_here:
        yield opened_here
        server.thaw()
