"""Requests are counted in the middleware, however they end, under a bounded set of labels."""

from typing import Any

import pytest
from prometheus_client import generate_latest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from tonnage.web.middleware import RequestMiddleware, Truncated
from tonnage.web.request_metrics import Requests

pytestmark = pytest.mark.anyio


async def call(requests: Requests, method: str = "GET", *, status: int = 0, error: Exception | None = None) -> None:
    """One request to an application that answers with `status`, if any, and then raises `error`."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        if error:
            raise error

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/x", "headers": []}
    await RequestMiddleware(application, requests)(scope, receive, send)


def count(requests: Requests, method: str, status: str) -> float | None:
    return requests.registry.get_sample_value(
        "tonnage_requests_total", {"method": method, "route": "other", "status": status}
    )


async def test_every_end_is_counted() -> None:
    requests = Requests()
    await call(requests, status=204)
    await call(requests, error=ClientDisconnect())
    await call(requests, status=200, error=Truncated())
    await call(requests, error=KeyError("x"))
    assert [count(requests, "GET", status) for status in ("204", "none", "200", "500")] == [1, 1, 1, 1]
    seconds = requests.registry.get_sample_value("tonnage_request_seconds_count", {"method": "GET", "route": "other"})
    assert seconds == 4


async def test_no_client_makes_it_grow() -> None:
    requests = Requests()
    await call(requests, "BREW0", status=405)
    before = len(generate_latest(requests.registry).splitlines())
    for number in range(100):
        await call(requests, f"BREW{number}", status=405)
    assert len(generate_latest(requests.registry).splitlines()) == before
    assert count(requests, "other", "405") == 101
