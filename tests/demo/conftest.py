from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager

import pytest

from tonnage.db import Database, connect
from tonnage.db.deadlines import COMMAND_LOCK_WAIT


@pytest.fixture
async def database(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Database]:
    with new_database() as conninfo:
        async with connect(conninfo, lock_wait=COMMAND_LOCK_WAIT) as opened:
            yield opened
