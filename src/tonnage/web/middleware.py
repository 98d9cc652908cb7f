"""The outermost layer of our own: request ids, the standard headers of every response, and the handling of crashes.

Pure ASGI: Starlette's BaseHTTPMiddleware costs a task and a queue per request, more than the rest of a lean request.
"""

import logging
import re
import uuid
from collections.abc import Iterable
from functools import partial
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tonnage.current_request import CurrentRequest, current_request
from tonnage.db.deadlines import request_limit, wait_limit
from tonnage.error_codes import RequestCode
from tonnage.web.deprecation import DEPRECATIONS, Deprecations, deprecation_of
from tonnage.web.problem import CRASH, error_response
from tonnage.web.proxy_headers import is_secure, known_address
from tonnage.web.request_metrics import Requests

_log = logging.getLogger(__name__)

_CLIENTS_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
RESPONSE_HEADERS = "response_headers"
"""Where, in a request's state, inner layers put headers that every response to it is to have."""
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class Truncated(Exception):
    """The response was ended on purpose after its status was sent: for a slow client, which has been logged, or because
    the client has asked for the headers alone.
    """


class RequestMiddleware:
    """Add it with `app.add_middleware(RequestMiddleware, requests=requests, public_url=public_url)`; `requests`, if
    given, counts and times them. `public_url` says whether browsers use TLS, as in proxy_headers.py. `deprecations`:
    the operations whose responses say that they are going to end.

    A request id is the client's `X-Request-Id` if that is 1 to 64 of `A-Za-z0-9._-`, else a new UUID. It is in
    `scope["state"]["request_id"]`, in every response's header, in problems and in the log line of a crash.

    HEAD is GET for every route, whose response ends before its body (RFC 9110, 9.3.2).
    """

    def __init__(
        self,
        app: ASGIApp,
        requests: Requests | None = None,
        deprecations: Deprecations = DEPRECATIONS,
        public_url: str | None = None,
    ) -> None:
        self.app = app
        self.requests = requests
        self.deprecations = deprecations
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises nothing for a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, method = perf_counter(), scope["method"]
        if method == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        request_id = request_id_of(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        status = 0
        current = current_request.set(CurrentRequest(request_id.decode(), partial(known_address, scope)))
        limit = wait_limit.set(request_limit())

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                secure = is_secure(scope, self.public_url)
                message["headers"] = with_standard_headers(message["headers"], request_id, secure=secure)
                message["headers"] += scope["state"].get(RESPONSE_HEADERS, ())
                if self.deprecations:
                    message["headers"] += deprecation_of(scope, self.deprecations)
            await send(message)

        # Once the status is sent, returning early makes the server close the connection: the client sees an aborted
        # transfer, never a shorter list that looks complete.
        try:
            await self.app(scope, receive, send_with_headers)
        except (ClientDisconnect, Truncated):
            return
        except Exception:
            _log.exception("request %s crashed: %s %r", request_id.decode(), method, scope["path"])
            if not status:
                await error_response(scope, RequestCode.INTERNAL_ERROR, CRASH)(scope, receive, send_with_headers)
        finally:
            wait_limit.reset(limit)
            current_request.reset(current)
            if self.requests:
                self.requests.count(method, scope, status, perf_counter() - began)


def without_body(send: Send) -> Send:
    """Sends the status and headers of a response alone. The returned function raises Truncated in a response that is
    sent in parts: nothing more has to be read for it.
    """

    async def send_head(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({"type": "http.response.body", "body": b""})
        if message.get("more_body"):
            raise Truncated

    return send_head


def with_standard_headers(
    headers: Iterable[tuple[bytes, bytes]], request_id: bytes, *, secure: bool
) -> list[tuple[bytes, bytes]]:
    """The headers of a response and the standard ones. `secure`: the client uses TLS.

    Returns a copy: otherwise a cached response would collect them each time it is sent.
    """
    complete = [*headers, (b"x-request-id", request_id), _NOSNIFF]
    if not any(name == b"cache-control" for name, _ in complete):
        complete.append(_NO_STORE)
    if secure:
        complete.append(_HSTS)
    return complete


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The client's request id, if it is valid, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _CLIENTS_ID.fullmatch(value):
            return value
    return str(uuid.uuid4()).encode()
