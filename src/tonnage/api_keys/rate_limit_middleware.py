"""Limits how often each API key can be used: by the process, in memory."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

import psycopg
from starlette.types import ASGIApp, Receive, Scope, Send

from tonnage.api_keys.guard import admitted_key
from tonnage.api_keys.rate_limit import TokenBucket, take
from tonnage.error_codes import RequestCode
from tonnage.errors import TonnageError
from tonnage.services import Services
from tonnage.web.middleware import RESPONSE_HEADERS
from tonnage.web.problem import problem
from tonnage.web.routing import is_of_api

MOST_BUCKETS = 20_000
"""How many a process keeps. Only keys that work have one, and an organisation has a limited number of keys."""


class Buckets:
    """The buckets of the keys that were used last.

    In two generations: when the younger one is full, the older one is forgotten. So the memory is bounded without a
    search for the oldest bucket, and a key that is forgotten was not used while thousands of others were.
    """

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most_of_one = most // 2
        self._younger: dict[UUID, TokenBucket] = {}
        self._older: dict[UUID, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def take(self, key_id: UUID, rate: int, now: datetime) -> TokenBucket:
        """The bucket of a key after a request: see `rate_limit.take`."""
        bucket = take(self._younger.get(key_id) or self._older.pop(key_id, None), rate, now)
        if len(self._younger) >= self._most_of_one and key_id not in self._younger:
            self._older, self._younger = self._younger, {}
        self._younger[key_id] = bucket
        return bucket


class RateLimitMiddleware:
    """Middleware. Every request of the API with a key that works counts, also those that get an error, and no others.

    It is refused before its route is looked for and its body read. An error of the key is left to the route: the path
    may not exist, or need no key.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what the application raises."""
        bucket = await self._taken(scope) if scope["type"] == "http" and is_of_api(scope) else None
        if bucket is not None:
            scope["state"][RESPONSE_HEADERS] = bucket.headers
            if not bucket.has_admitted:
                wait = {"Retry-After": str(bucket.reset_after)}
                response = problem(scope, RequestCode.TOO_MANY_REQUESTS, bucket.refusal, headers=wait)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _taken(self, scope: Scope) -> TokenBucket | None:
        if not any(name == b"authorization" for name, _ in scope["headers"]):
            return None
        with suppress(TonnageError, psycopg.Error):
            services: Services = scope["app"].state.services
            key, now = await admitted_key(scope), services.wall_clock()
            return self._buckets.take(key.id, key.requests_per_second or services.limits.requests_per_second, now)
        return None
