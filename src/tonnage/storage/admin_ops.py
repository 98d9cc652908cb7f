"""Client of Ceph's Admin Ops API: one connection pool, time-outs, retries where they are safe."""

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

from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.storage.backend import AccessKey
from tonnage.storage.ceph_errors import code_of, not_ceph, refusal
from tonnage.storage.signing import GatewayAuth

_LONGEST = 2**24
"""Maximum size of a response in bytes. The record of an account has about 2,000; a page of the list of users 30 for
each."""
_LONGEST_BULK = 2**30


@dataclass(frozen=True)
class Timeouts:
    """Time-outs in seconds, and the number of tries."""

    connect: float = 3
    read: float = 10
    """For each read. A whole response may take at most `read` plus `connect`, tries and pauses included."""
    bulk: float = 300
    """For a whole response of many megabytes, as long as data keeps arriving."""
    key: float = 8
    """For creating or deleting an access key, in total: a person waits, 10 seconds together with the work around it."""
    purge: float = 1800
    """The gateway deletes some hundred objects per second while the request is open. After a time-out it continues by
    itself, and a concurrent second purge adds load: so purges are few and long."""
    tries: int = 3
    pause: float = 0.2
    """Maximum pause before the second try; doubles with each try. The actual pause is random, between half of it and
    all."""


class AdminOps:
    """The API at one address, for one admin user. An `address` without a path gets Ceph's default entry, `/admin`."""

    def __init__(self, address: str, key: AccessKey, timeouts: Timeouts) -> None:
        parts = urlsplit(address)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._entry = self._origin + (parts.path.rstrip("/") or "/admin")
        self.timeouts = timeouts
        self.access_key = key.access_key
        self._http = httpx.AsyncClient(
            auth=GatewayAuth(key),
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
            # The system's certificates, or those of SSL_CERT_FILE; httpx by default only trusts public ones.
            verify=ssl.create_default_context(),
            trust_env=False,  # a proxy from the environment could read the requests to the operator's cluster
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
        """The decoded response, None for an empty one. A parameter with the value '' is a flag.

        Retries after a broken connection or a 5xx, never after a time-out: retries would only stall a stalled cluster
        more. With `once`, no two requests of a call are ever in progress together: retries only after a 5xx from Ceph
        itself. Ceph sends that after a concurrent change of the same user, and has done nothing then. `read`: read
        time-out in seconds, if not the default. `bulk`: the response may be large and slow. Raises the errors of
        `StorageBackend`.
        """
        # quote: a blank encoded as `+` breaks the signature.
        address = f"{self._entry}/{resource}?{urlencode(parameters, quote_via=quote, safe='')}"
        content = None if body is None else json.dumps(body).encode()
        request = self._http.build_request(
            method,
            address,
            content=content,
            headers={"Content-Type": "application/json"} if content else None,
            timeout=httpx.Timeout(read or self.timeouts.read, connect=self.timeouts.connect),
        )
        within = self.timeouts.bulk if bulk else (read or self.timeouts.read) + self.timeouts.connect
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
        """The response of the gateway's S3 root. It accepts anonymous requests, and signed ones only with valid
        credentials, of any capabilities."""
        request = self._http.build_request("GET", f"{self._origin}/")
        within = self.timeouts.read + self.timeouts.connect
        return await self._send(request, within=within, auth=httpx.USE_CLIENT_DEFAULT if signed else None)

    async def object_request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        content: bytes = b"",
        new: bool = False,
    ) -> httpx.Response:
        """The response to a request of the S3 API, about the bucket or the object at `path`, of any status.

        `new`: the object is created only if there is none of that name; otherwise the status is 412.
        """
        query = f"?{urlencode(parameters, quote_via=quote, safe='')}" if parameters else ""
        request = self._http.build_request(
            method,
            f"{self._origin}/{quote(path, safe='/')}{query}",
            content=content or None,
            headers={"If-None-Match": "*"} if new else None,
        )
        return await self._send(request, within=self.timeouts.read + self.timeouts.connect)

    async def _send(
        self, request: httpx.Request, *, once: bool = False, within: float, longest: int = _LONGEST, **auth: Any
    ) -> httpx.Response:
        """Sends a request with a total limit of `within` seconds: httpx itself only limits each single read."""
        try:
            async with asyncio.timeout(within):
                return await self._try(request, once=once, longest=longest, **auth)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Unavailable(
                "The storage cluster did not answer in time. Try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
            ) from error

    async def _try(self, request: httpx.Request, *, once: bool, longest: int, **auth: Any) -> httpx.Response:
        pause = self.timeouts.pause
        for tries_left in reversed(range(self.timeouts.tries)):
            try:
                answer = await self._answer(request, longest, **auth)
            except httpx.TimeoutException:
                raise
            except httpx.TransportError as error:
                if once or not tries_left:
                    # Without the cause: it may name the operator's hosts, and is for those who examine the cluster.
                    raise Unavailable(
                        "The storage cluster cannot be reached. Try again later.", UnavailableCode.CLUSTER_UNAVAILABLE
                    ) from error
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
        """Closes its connections."""
        await self._http.aclose()
