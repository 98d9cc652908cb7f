"""The attacked server."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.hostile.serving import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with serving(tmp_path_factory.mktemp("attacked")) as server:
        yield server


@pytest.fixture
def crowded(tmp_path: Path) -> Generator[Server]:
    """May open 1,024 files, and no more."""
    with serving(tmp_path, files=1024) as server:
        yield server
