"""Calls of Ceph's Admin Ops API: one connection pool, time-outs, repetition where that is safe."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from tonnage.errors import Unavailable
from tonnage.storage.ceph_errors import code_of, not_ceph, refusal
from tonnage.storage.plane import AccessKey
from tonnage.storage.signing import GatewayAuth


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds, and how often we try."""

    connect: float = 3
    read: float = 10
    key: float = 10
    """For creating or deleting an access key, all in all: a person waits."""
    purge: float = 1800
    """The gateway removes some hundred objects per second while we wait. After that it goes on by itself, and a purge
    that is started beside it costs it work: so few of these, and long ones."""
    tries: int = 3
    pause: float = 0.2
    """Before the second try, at most; doubles from try to try. The real pause is drawn between half of it and all."""


class AdminOps:
    """The API at one address, for one admin user. An `address` without a path means Ceph's default entry, `/admin`."""

    def __init__(self, address: str, key: AccessKey, patience: Patience) -> None:
        parts = urlsplit(address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._entry = self._origin + (parts.path.rstrip("/") or "/admin")
        self.patience = patience
        self.access_key = key.access_key
        self._http = httpx.AsyncClient(
            auth=GatewayAuth(key),
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
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
    ) -> Any:
        """The decoded answer, None for an empty one. A parameter with the value '' is a flag.

        Repeated after a broken connection or a 5xx; never after a time-out, since a stalled cluster only stalls more.
        With `once` no two of it are ever under way together: then only a 5xx of Ceph's own is followed by another try.
        That is what it answers when somebody else changed the same user in between; nothing has been done then.
        Raises the errors of `StoragePlane`.
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
        answer = await self._send(request, once=once)
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
        return await self._send(request, once=False, auth=httpx.USE_CLIENT_DEFAULT if signed else None)

    async def _send(self, request: httpx.Request, *, once: bool, **auth: Any) -> httpx.Response:
        pause = self.patience.pause
        for tries_left in reversed(range(self.patience.tries)):
            try:
                answer = await self._http.send(request, **auth)
            except httpx.TimeoutException as error:
                raise Unavailable("The storage cluster does not answer in time; try again later.") from error
            except httpx.TransportError as error:
                if once or not tries_left:
                    raise Unavailable(f"The storage cluster cannot be reached ({error}); try again later.") from error
            else:
                final = answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR or (once and not code_of(answer))
                if final or not tries_left:
                    return answer
            await asyncio.sleep(secrets.SystemRandom().uniform(pause / 2, pause))
            pause *= 2
        raise AssertionError("not reached: the last try returns or raises")

    async def close(self) -> None:
        """Ends its connections."""
        await self._http.aclose()
