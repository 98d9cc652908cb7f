"""The application with a key file, without which it cannot recognise requests."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.api.conftest import AppClient, application, data
from tests.cast import Cast
from tonnage.sealing import create_key_file

__all__ = ["data"]


@pytest.fixture
async def client(conninfo: str, cast: Cast, tmp_path: Path) -> AsyncGenerator[AppClient]:
    key_file = tmp_path / "secret.key"
    create_key_file(key_file)
    async with application(conninfo, cast, key_file=key_file) as client:
        yield client
