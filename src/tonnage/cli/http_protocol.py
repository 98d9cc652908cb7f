"""HTTP below the application: the bounds of a connection, and refusals in the common error format.

uvicorn bounds neither the size of a request's head nor the time for it, nor the time for a body, nor how many requests
it parses ahead, nor the number of connections. Any stranger reaches this code: no key has been read yet.
"""

import asyncio
from asyncio import TimerHandle
from typing import Any, ClassVar

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tonnage.cli.connection_limits import ClientConnectionLimits, Refused
from tonnage.cli.http_connection import MAX_HEADERS, TOO_MANY, Flow, head_size, host_error, refusal
from tonnage.web.slow_client import DEFAULT_LIMITS, TransferLimits

MAX_HEAD = 64 * 1024
"""Bytes of the request line and the headers; also of what a body has between two pieces of content."""

_MALFORMED = "The request is not valid HTTP/1.1. Percent-encode the path, and check the method and Content-Length."
_TOO_LARGE = f"The request line and headers are larger than {MAX_HEAD} bytes. Send fewer or shorter ones."
_SLOW_HEAD = "The request headers took too long to arrive. Send the request again."
_SLOW_BODY = "The request body took too long to arrive. Send the request again."

HEAD_END = b"\n\r\n"
"""The end of a head, and of a body in chunks. The parser gets what is received up to the next of these, or to the end
of a body of known length: so it never gets anything that follows a request.
"""


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    A request is parsed when the one before it has been answered; what was received until then waits, unparsed, and
    nothing more is read.
    """

    head_seconds: ClassVar[float] = 20.0
    """From a request's first byte to the end of its headers."""
    linger_seconds: ClassVar[float] = 2.0
    """A socket closed with unread data resets the connection, and the refusal may be lost with it."""
    stall_seconds: ClassVar[float] = DEFAULT_LIMITS.chunk
    """How long a client may accept nothing of a response, and a closed connection may wait for it."""
    body_limits: ClassVar[TransferLimits] = DEFAULT_LIMITS

    _head_open = False
    _in_body = False
    _refused = False
    _received = 0
    _pending = 0
    _progress = False
    _deadline: TimerHandle | None = None
    """Of the head or the body that is arriving."""
    _reason = (400, _MALFORMED)
    _body_since = 0.0
    _body_taken = 0
    _tail = b""
    """The last bytes of a head or a body that has not ended."""
    _unread = b""
    _unread_from = 0
    _stalled_since: float | None = None
    _admitted: str | None = None
    _flow: Flow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        limits: ClientConnectionLimits | None = None,
        secure: bool = False,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._secure = secure

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that sends nothing is as idle as one that has nothing more to send."""
        super().connection_made(transport)
        self.flow = self._flow = Flow(transport, self.loop.time)
        if self._limits is not None:
            try:
                self._admitted = self._limits.enter(self.client[0] if self.client else "")
            except Refused as error:
                self._turn_away(error)
                return
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of this connection may be called later."""
        self._unset_keepalive_if_required()
        self._cancel_deadline()
        if self._limits is not None:
            self._limits.leave(self._admitted)
        self._unread = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser one request at a time, and bounds what it keeps for a request that is not complete."""
        if self._refused:
            return
        if self._unread:
            # It was on its way when reading was paused.
            self._hold(self._unread[self._unread_from :] + data, 0)
            return
        self._feed(data, 0)

    def _feed(self, data: bytes, start: int) -> None:
        size = len(data)
        while True:
            if self.cycle and not self.cycle.response_complete and not self._in_body:
                self._hold(data, start)
                return
            end = self._end(data, start)
            part = data if start == 0 and end >= size else data[start:end]
            self._received = len(part)
            self._progress = False
            super().data_received(part)
            if (self._head_open or self._in_body) and not self._refused:
                self._bound()
            if self._refused:
                return
            if end >= size:
                break
            start = end
        if self._head_open or self._in_body:
            self._tail = data[-2:] if size > 1 else self._tail[-1:] + data
            if self._deadline is None:
                self._set_deadline()
        elif self._tail:
            self._tail = b""
        if not self._head_open and (not self.cycle or self.cycle.response_complete):
            self._await_request()

    def _end(self, data: bytes, start: int) -> int:
        if self._in_body:
            for name, value in self.headers:
                if name == b"content-length":
                    return start + int(value) - self._body_taken
        if start == 0 and self._tail:
            # What was received before may have a part of it.
            end = (self._tail + data[:2]).find(HEAD_END)
            if end >= 0:
                return end + len(HEAD_END) - len(self._tail)
        end = data.find(HEAD_END, start)
        return len(data) if end < 0 else end + len(HEAD_END)

    def _hold(self, data: bytes, start: int) -> None:
        self._unread, self._unread_from = data, start
        self._cancel_deadline()  # the client waits for us
        self.flow.pause_reading()
        self._flow.held = True

    def on_response_complete(self) -> None:
        """What was received in the meantime comes next."""
        super().on_response_complete()
        if self._unread and not self.transport.is_closing():
            data, self._unread = self._unread, b""
            self._feed(data, self._unread_from)
            if not self._unread:
                self._flow.held = False
                self.flow.resume_reading()

    def pause_writing(self) -> None:
        """The client does not accept what is sent to it."""
        super().pause_writing()
        self._stalled_since = self.loop.time()

    def resume_writing(self) -> None:
        """The client has accepted nearly all of it."""
        super().resume_writing()
        self._stalled_since = None

    def end_if_stalled(self) -> None:
        """Aborts the connection of a client that accepts nothing. The server calls this every few seconds."""
        now = self.loop.time()
        if self._stalled_since is None:
            # A closed connection waits until the rest of the response is sent.
            self._stalled_since = now if self.transport.is_closing() else None
        elif now - self._stalled_since > self.stall_seconds:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """The head's first byte."""
        self._head_open = self._progress = True
        self._pending = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Measures the head only when it may be too large. An exception raised here becomes the error response."""
        if self._pending + self._received > MAX_HEAD and head_size(self.url, self.headers) > MAX_HEAD:
            self._reason = (431, _TOO_LARGE)
            raise ValueError(_TOO_LARGE)
        if len(self.headers) > MAX_HEADERS:
            self._reason = (431, TOO_MANY)
            raise ValueError(TOO_MANY)
        if self.parser and (error := host_error(self.parser.get_http_version(), self.headers)):
            self._reason = (400, error)
            raise ValueError(error)
        super().on_headers_complete()
        self._head_open = False
        self._in_body = True
        self._body_taken = 0
        if self._deadline is not None:
            self._cancel_deadline()

    def on_body(self, body: bytes) -> None:
        """Content; trailers and the extensions of chunks are none."""
        self._progress = True
        self._body_taken += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is another request."""
        self._in_body = False
        if self._deadline is not None:
            self._cancel_deadline()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """The response to bytes that the parser cannot read."""
        self._refuse(*self._reason)

    def _unsupported_upgrade_warning(self) -> None:
        # The request is answered as if it had not asked, which RFC 9110 permits; the parser reads nothing behind it.
        self.cycle.keep_alive = False

    def _bound(self) -> None:
        if not self._progress:
            self._pending += self._received
        else:
            self._pending = head_size(self.url, self.headers) if self._head_open else 0
        if self._pending > MAX_HEAD:
            self._refuse(431, _TOO_LARGE)
        elif len(self.headers) > MAX_HEADERS:
            self._refuse(431, TOO_MANY)

    def _set_deadline(self) -> None:
        if self._head_open:
            self._deadline = self.loop.call_later(self.head_seconds, self._refuse, 408, _SLOW_HEAD)
        else:
            self._body_since = self._flow.read_seconds()
            self._deadline = self.loop.call_later(self.body_limits.grace, self._check_body)

    def _check_body(self) -> None:
        left = self.body_limits.left(self._flow.read_seconds() - self._body_since, self._body_taken)
        if self.flow.read_paused:
            # The application has not asked for it; what is left may be nearly nothing.
            self._deadline = self.loop.call_later(self.body_limits.grace, self._check_body)
        elif left > 0:
            self._deadline = self.loop.call_later(left, self._check_body)
        else:
            self._refuse(408, _SLOW_BODY)

    def _await_request(self) -> None:
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _turn_away(self, error: Refused) -> None:
        self._refused = True
        self._answer(503, error.detail, lingers=error.may_linger)

    def _refuse(self, status: int, detail: str) -> None:
        self._refused = True
        self._cancel_deadline()
        if self.headers:
            del self.headers[MAX_HEADERS:]  # the connection lingers; trailers come behind the headers
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if not cycle or cycle.response_complete:
            answerable = not self._in_body  # else this request has had its answer
        else:
            answerable = not cycle.response_started
            cycle.disconnected = True
            cycle.message_event.set()
        if answerable:
            self._answer(status, detail)
        else:
            self.transport.close()

    def _answer(self, status: int, detail: str, *, lingers: bool = True) -> None:
        headers = self.headers if self._head_open or self._in_body else []
        defaults = self.server_state.default_headers
        self.transport.write(refusal(status, detail, headers, defaults, secure=self._secure))
        if lingers and self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(self.linger_seconds, self.transport.close)
        else:
            self.transport.close()
