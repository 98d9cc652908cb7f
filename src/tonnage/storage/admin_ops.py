"""Calls of Ceph's Admin Ops API: one connection pool, time-outs, repetition where that is safe."""

import asyncio
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from tonnage.errors import Unavailable
from tonnage.storage.backend import AccessKey
from tonnage.storage.ceph_errors import code_of, not_ceph, refusal
from tonnage.storage.signing import GatewayAuth

_LONGEST = 2**24
"""Bytes that an answer may have: the record of an account has two thousand, a page of the list of users 30 for each."""
_LONGEST_BULK = 2**30


@dataclass(frozen=True)
class Timeouts:
    """How long we wait, in seconds, and how often we try."""

    connect: float = 3
    read: float = 10
    """For each sign of life. An answer may take no longer than that and `connect`, tries and pauses included."""
    bulk: float = 300
    """For an answer of many megabytes, all in all, as long as it flows."""
    key: float = 8
    """For creating or deleting an access key, all in all: a person waits, 10 seconds with what is done around it."""
    purge: float = 1800
    """The gateway removes some hundred objects per second while we wait. After that it goes on by itself, and a purge
    that is started beside it costs it work: so few of these, and long ones."""
    tries: int = 3
    pause: float = 0.2
    """Before the second try, at most; doubles from try to try. The real pause is drawn between half of it and all."""


class AdminOps:
    """The API at one address, for one admin user. An `address` without a path means Ceph's default entry, `/admin`."""

    def __init__(self, address: str, key: AccessKey, patience: Timeouts) -> None:
        parts = urlsplit(address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._entry = self._origin + (parts.path.rstrip("/") or "/admin")
        self.patience = patience
        self.access_key = key.access_key
        self._http = httpx.AsyncClient(
            auth=GatewayAuth(key),
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
            # The system's certificates, or those that SSL_CERT_FILE names: httpx by itself knows public ones only.
            verify=ssl.create_default_context(),
            trust_env=False,  # a proxy from the environment would get to see the operator's cluster
        )

    async def call(
        self,
        method: str,
        resource: str,
        parameters: Mapping[str, str],
        *,
        body: object = None,
        once: bool = False,
        read: float | None = None,
        bulk: bool = False,
    ) -> Any:
        """The decoded answer, None for an empty one. A parameter with the value '' is a flag.

        Repeated after a broken connection or a 5xx; never after a time-out, since a stalled cluster only stalls more.
        With `once` no two of it are ever under way together: then only a 5xx of Ceph's own is followed by another try.
        That is what it answers when somebody else changed the same user in between; nothing has been done then.
        `read`: seconds until it answers, if not as usual. `bulk`: what it answers may be long, and take its time.
        Raises the errors of `StorageBackend`.
        """
        # quote: a blank that is written as `+` breaks the signature.
        address = f"{self._entry}/{resource}?{urlencode(parameters, quote_via=quote, safe='')}"
        content = None if body is None else json.dumps(body).encode()
        request = self._http.build_request(
            method,
            address,
            content=content,
            headers={"Content-Type": "application/json"} if content else None,
            timeout=httpx.Timeout(read or self.patience.read, connect=self.patience.connect),
        )
        within = self.patience.bulk if bulk else (read or self.patience.read) + self.patience.connect
        answer = await self._send(request, once=once, within=within, longest=_LONGEST_BULK if bulk else _LONGEST)
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
            raise refusal(answer)
        if not answer.content:
            return None
        try:
            return json.loads(answer.content)
        except ValueError:
            raise not_ceph("its answer is not JSON") from None

    async def front_door(self, *, signed: bool) -> httpx.Response:
        """The gateway's S3 root: it answers anybody, and a signature only if it is right, capabilities or not."""
        request = self._http.build_request("GET", f"{self._origin}/")
        within = self.patience.read + self.patience.connect
        return await self._send(request, within=within, auth=httpx.USE_CLIENT_DEFAULT if signed else None)

    async def _send(
        self, request: httpx.Request, *, once: bool = False, within: float, longest: int = _LONGEST, **auth: Any
    ) -> httpx.Response:
        """Tries it, `within` so many seconds in all: httpx itself only limits each single wait for a piece."""
        try:
            async with asyncio.timeout(within):
                return await self._try(request, once=once, longest=longest, **auth)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Unavailable("The storage cluster does not answer in time; try again later.") from error

    async def _try(self, request: httpx.Request, *, once: bool, longest: int, **auth: Any) -> httpx.Response:
        pause = self.patience.pause
        for tries_left in reversed(range(self.patience.tries)):
            try:
                answer = await self._answer(request, longest, **auth)
            except httpx.TimeoutException:
                raise
            except httpx.TransportError as error:
                if once or not tries_left:
                    # The reason may name hosts of the operator's: it is for whoever examines the cluster.
                    raise Unavailable("The storage cluster cannot be reached; try again later.") from error
            else:
                final = answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR or (once and not code_of(answer))
                if final or not tries_left:
                    return answer
            await asyncio.sleep(secrets.SystemRandom().uniform(pause / 2, pause))
            pause *= 2
        raise AssertionError("not reached: the last try returns or raises")

    async def _answer(self, request: httpx.Request, longest: int, **auth: Any) -> httpx.Response:
        answer = await self._http.send(request, stream=True, **auth)
        content = bytearray()
        try:
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > longest:
                    raise not_ceph(f"its answer is longer than {longest} bytes")
        finally:
            await answer.aclose()
        return httpx.Response(answer.status_code, headers=answer.headers, content=bytes(content))

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()
