from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager

import pytest

from tonnage.db import Database, connect


@pytest.fixture
async def database(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Database]:
    with new_database() as conninfo:
        async with connect(conninfo) as opened:
            yield opened
