"""Compressed responses, for clients that accept gzip.

The length of a compressed response shows how much in it occurs twice. An eavesdropper who can make a client send
requests whose text comes back in a response beside a secret finds the secret letter by letter (BREACH). Therefore only
successful responses to GET are compressed. New keys and codes are in responses to POST, and errors repeat what a
request says. A page with a form has a token, which is masked (csrf.py); the page with the seed of a second factor
repeats nothing of its request.
"""

import asyncio
import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.ASCII | re.IGNORECASE)

_LEAST = 1024
"""Bytes: shorter responses fit into one packet anyway."""

_IN_A_THREAD = 64 * 1024
"""Bytes that take more than a millisecond to compress."""

_LEVEL = 1
"""Measured with a list of partners: half of the time of level 4, and 8 % more bytes."""

_TYPES = (b"application/json", b"text/")

RawHeaders = Iterable[tuple[bytes, bytes]]


def accepts_gzip(headers: Headers) -> bool:
    """Whether the client that sent these headers accepts gzip, and does not prefer what is not compressed (RFC 9110,
    12.5.3). A malformed weight is 0.
    """
    weights: dict[str, float] = {}
    for item in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        coding, has_weight, parameter = item.partition(";")
        weight = _WEIGHT.fullmatch(parameter)
        weights[coding.strip()] = float(weight[1]) if weight else 0.0 if has_weight else 1.0
    of_gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return of_gzip > 0 and of_gzip >= weights.get("identity", 0.0)


@lru_cache(maxsize=32)
def compressed(content: bytes) -> bytes:
    """Content that never changes, compressed as well as possible. Equal content gives equal bytes."""
    return gzip.compress(content, 9, mtime=0)


def constant_response(
    request_headers: Headers, content: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Of content that never changes. Compresses it once, which takes up to 0.1 seconds."""
    said = {**(headers or {}), "Vary": "Accept-Encoding"}
    if not accepts_gzip(request_headers):
        return Response(content, headers=said, media_type=media_type)
    return Response(compressed(content), headers={**said, "Content-Encoding": "gzip"}, media_type=media_type)


def with_vary(headers: RawHeaders, name: bytes) -> list[tuple[bytes, bytes]]:
    """The headers, with `name` in Vary."""
    others = list(headers)
    varies = [value for header, value in others if header == b"vary"]
    if any(name.lower() == one.strip().lower() for value in varies for one in value.split(b",")):
        return others
    return [*(one for one in others if one[0] != b"vary"), (b"vary", b", ".join([*varies, name]))]


class Compression:
    """Middleware. Compresses successful responses to GET of text and JSON, if they are longer than 1 KB or sent in
    parts. Each part is sent at once, and nothing is held but the compressor's window.

    Not those that say their encoding already, and not those with an entity tag: a strong one is that of the bytes sent
    (RFC 9110, 8.8.3), and the objects that have one are short.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what the application raises."""
        if scope["type"] == "http" and scope["method"] == "GET":
            send = _Compressor(send, accepts_gzip(Headers(scope=scope))).send
        await self.app(scope, receive, send)


class _Compressor:
    def __init__(self, send: Send, is_accepted: bool) -> None:
        self._send = send
        self._is_accepted = is_accepted
        self._start: Message | None = None
        """Not yet sent: the length decides."""
        self._stream: Any = None
        """A zlib.compressobj, once the response has been begun compressed."""

    async def send(self, message: Message) -> None:
        """Sends a message of the response."""
        if message["type"] == "http.response.start" and _is_compressible(message):
            message["headers"] = with_vary(message["headers"], b"Accept-Encoding")
            if self._is_accepted:
                self._start = message
                return
        elif self._start:
            start, self._start = self._start, None
            await self._begin(start, message)
            return
        elif self._stream:
            message = await _packed(self._stream, message)
        await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        is_whole = not first.get("more_body", False)
        if not is_whole or len(first.get("body", b"")) > _LEAST:
            self._stream = zlib.compressobj(_LEVEL, wbits=31)
            first = await _packed(self._stream, first)
            length = len(first["body"]) if is_whole else None
            start = {**start, "headers": _of_gzip(start["headers"], length)}
        await self._send(start)
        await self._send(first)


async def _packed(stream: Any, part: Message) -> Message:
    if len(part.get("body", b"")) > _IN_A_THREAD:
        return await asyncio.to_thread(_pack, stream, part)
    return _pack(stream, part)


def _pack(stream: Any, part: Message) -> Message:
    # Without a flush the compressor would keep a part until a later one.
    flush = zlib.Z_SYNC_FLUSH if part.get("more_body", False) else zlib.Z_FINISH
    return {**part, "body": stream.compress(part.get("body", b"")) + stream.flush(flush)}


def _is_compressible(start: Message) -> bool:
    headers = dict(start["headers"])
    return (
        start["status"] == 200
        and headers.get(b"content-type", b"").startswith(_TYPES)
        and b"content-encoding" not in headers
        and b"etag" not in headers
    )


def _of_gzip(headers: RawHeaders, length: int | None) -> list[tuple[bytes, bytes]]:
    changed = [header for header in headers if header[0] != b"content-length"]
    if length is not None:
        changed.append((b"content-length", b"%d" % length))
    return [*changed, (b"content-encoding", b"gzip")]
