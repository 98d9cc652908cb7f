from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.sandbox.sandboxes import Process, prepared, process


@pytest.fixture
async def sandbox(new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path) -> AsyncGenerator[Process]:
    """A new one, whose clock stands at 2026-11-01."""
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as started:
            await prepared(started, "2026-11-01")
            yield started
