"""Cross-origin requests (CORS, https://fetch.spec.whatwg.org): which web pages of others may use the API in a browser.

None, unless the operator names their origins. Never with credentials: the API knows no cookies, only keys that a page
must have. Pages of the console are not included: their answers are for the browser's own user.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tonnage.web.compression import with_vary
from tonnage.web.routing import is_of_api

_REQUEST_HEADERS = b"Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id"

_RESPONSE_HEADERS = (
    b"Deprecation, ETag, Idempotency-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id"
)
"""Those that a script may read, besides the few that it always may."""

_SECONDS = b"600"
"""How long a browser may remember what a path allows."""


class CrossOrigin:
    """Middleware, the outermost: errors of all kinds must be readable for the pages, too.

    Answers a preflight with what the application says to OPTIONS.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what the application raises."""
        if scope["type"] != "http" or not is_of_api(scope):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.getlist("origin")
        origin = given[0] if len(given) == 1 and given[0] in self._origins else None
        asks_first = scope["method"] == "OPTIONS" and "access-control-request-method" in headers

        async def send_with_permission(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Also where nothing is permitted: a cache must not give that response to a page that may read it.
                message["headers"] = with_vary(message["headers"], b"Origin")
                if origin:
                    message["headers"] += _permission(message, origin, asks_first)
            await send(message)

        await self.app(scope, receive, send_with_permission)


def _permission(start: Message, origin: str, asks_first: bool) -> list[tuple[bytes, bytes]]:
    permitted = (b"access-control-allow-origin", origin.encode())
    if not asks_first:
        return [permitted, (b"access-control-expose-headers", _RESPONSE_HEADERS)]
    return [
        permitted,
        (b"access-control-allow-methods", dict(start["headers"]).get(b"allow", b"")),
        (b"access-control-allow-headers", _REQUEST_HEADERS),
        (b"access-control-max-age", _SECONDS),
    ]
