"""Parts of a connection: when it is read, and the response of a request that never reaches the application."""

import asyncio
import re
from collections.abc import Callable, Iterable

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from tonnage.error_codes import Code, RequestCode, UnavailableCode
from tonnage.web.middleware import request_id_of, with_standard_headers
from tonnage.web.problem import problem

MAX_HEADERS = 256
"""Headers and trailers together. Each takes some 200 bytes of memory, however short it is."""

TOO_MANY = f"The request has more than {MAX_HEADERS} headers. Send fewer."


_CODES: dict[int, Code] = {
    400: RequestCode.MALFORMED_REQUEST,
    408: RequestCode.REQUEST_TOO_SLOW,
    431: RequestCode.HEADERS_TOO_LARGE,
    503: UnavailableCode.BUSY,
}

_HOST = re.compile(rb"([A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")
"""RFC 3986: a name or an address, and a port."""


def host_error(version: str, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Why a request cannot be attributed to a host (RFC 9112, 3.2), or is older than HTTP/1.0; None: it can."""
    if version == "0.9":
        return "HTTP/0.9 is not supported. Use HTTP/1.1."
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        return "The request has several Host headers. Send one."
    if not hosts:
        return "The request has no Host header. Send one." if version == "1.1" else None
    return None if _HOST.fullmatch(hosts[0]) else "The Host header is not a host name with an optional port."


class Flow(FlowControl):
    """The application resumes reading when it asks for a body; not while earlier data waits to be parsed.

    `time`: the loop's, in seconds.
    """

    held = False
    _paused_at = 0.0
    _paused_before = 0.0

    def __init__(self, transport: asyncio.Transport, time: Callable[[], float]) -> None:
        super().__init__(transport)
        self._time = time

    def pause_reading(self) -> None:
        """The client waits for us from now on."""
        if not self.read_paused:
            self._paused_at = self._time()
        super().pause_reading()

    def resume_reading(self) -> None:
        """Does nothing while `held`."""
        if self.held:
            return
        if self.read_paused:
            self._paused_before += self._time() - self._paused_at
        super().resume_reading()

    def read_seconds(self) -> float:
        """A clock that stands still while the client waits for us."""
        return (self._paused_at if self.read_paused else self._time()) - self._paused_before


def head_size(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes of a request's address and headers."""
    return len(url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def refusal(
    status: int,
    detail: str,
    headers: Iterable[tuple[bytes, bytes]],
    default_headers: Iterable[tuple[bytes, bytes]],
    *,
    secure: bool,
) -> bytes:
    """A response in the common error format, after which the connection is closed. `headers` are the request's;
    `secure`: clients use TLS."""
    request_id = request_id_of(headers)
    scope: Scope = {"state": {"request_id": request_id.decode()}}
    response = problem(scope, _CODES[status], detail, headers={"Connection": "close"})
    content = [STATUS_LINE[status]]
    for name, value in (*default_headers, *with_standard_headers(response.raw_headers, request_id, secure=secure)):
        content.extend((name, b": ", value, b"\r\n"))
    return b"".join((*content, b"\r\n", bytes(response.body)))
