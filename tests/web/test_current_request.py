"""Whose request is being handled, for everything below: the client behind a trusted proxy, and nobody's afterwards."""

import asyncio
from ipaddress import ip_network

import pytest
from starlette.types import Message, Receive, Scope, Send

from tonnage.current_request import current_request
from tonnage.web.middleware import RequestMiddleware
from tonnage.web.proxy_headers import ProxyHeaders


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_it_is_the_client_behind_a_trusted_proxy(method: str) -> None:
    seen: list[dict[str, object] | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        current = current_request.get()
        seen.append(current.as_json() if current else None)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        pass

    async def handle() -> None:
        # In a server, too, proxies are read inside of the middleware that makes the request id.
        stack = RequestMiddleware(ProxyHeaders(app, (ip_network("198.51.100.0/24"),)))
        headers = [(b"x-request-id", b"req-1"), (b"x-forwarded-for", b"203.0.113.5, 198.51.100.8")]
        scope = {
            "type": "http",
            "method": method,
            "path": "/",
            "scheme": "http",
            "headers": headers,
            "client": ("198.51.100.7", 1),
        }
        await stack(scope, receive, send)
        seen.append(None if current_request.get() is None else {})

    asyncio.run(handle())
    assert seen == [{"request": "req-1", "address": "203.0.113.5"}, None]
