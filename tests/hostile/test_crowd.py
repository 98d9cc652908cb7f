"""A stranger with more connections than the server may have shuts nobody else out."""

import pytest

from tests.hostile import attacks
from tests.hostile.serving import Server

pytestmark = pytest.mark.anyio


async def test_1100_connections_at_a_server_with_1024_files(crowded: Server) -> None:
    async with attacks.crowd(crowded, 1100) as lines:
        assert lines[b"HTTP/1.1 200 OK"] == 256
        assert lines[b"HTTP/1.1 503 Service Unavailable"] > 0
        status, _ = await attacks.right_sign_in(crowded)
        assert status == 303
    assert crowded.log.count("connections with 503: 127.0.0.1 already has 256") == 1
