"""The limit on how many of the connections for long lists one organisation may hold."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from starlette.types import Scope

from tonnage.db import Connection, Pool
from tonnage.db.deadlines import seconds_left
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.web.routing import auth_results

BUSY = (
    "Your organisation is already reading the maximum number of long lists at the same time. Try again when one "
    "of them has finished."
)

T = TypeVar("T")


class RunStatement(Protocol):
    """`Database.run`."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The result of `work`, on a connection in autocommit."""
        ...


class Caller(Protocol):
    """The part of an Actor that lists need."""

    @property
    def organisation_id(self) -> Hashable:
        """The organisation, whose connections are counted together."""
        ...


class Statements(Protocol):
    """The part of a Database that lists need."""

    @property
    def run(self) -> RunStatement:
        """Runs on a connection that no client can hold."""
        ...


@runtime_checkable
class AuthenticatedRequest(Protocol):
    """The result of an authentication dependency: the actor, and the database for the response."""

    @property
    def actor(self) -> Caller:
        """The caller."""
        ...

    @property
    def database(self) -> Statements:
        """The connection pools."""
        ...


@dataclass
class _StreamSlots:
    """The connections that one organisation may hold at once, and how many of its lists hold one or wait for one."""

    free: asyncio.Semaphore
    lists: int = 0


_SLOTS: WeakKeyDictionary[Pool, dict[Hashable, _StreamSlots]] = WeakKeyDictionary()


@asynccontextmanager
async def connection(pool: Pool, owner: Hashable | None) -> AsyncGenerator[Connection]:
    """A connection of the pool. One owner gets at most half of them: its slow clients must not block other owners.

    Both waits together take no longer than the pool's own timeout, nor than the time left for the request.
    """
    most = seconds_left(pool.timeout)
    if owner is None:
        async with pool.connection(most) as conn:
            yield conn
        return
    begun = time.monotonic()
    async with _slot(pool, owner, most), pool.connection(most - (time.monotonic() - begun)) as conn:
        yield conn


@asynccontextmanager
async def _slot(pool: Pool, owner: Hashable, most: float) -> AsyncGenerator[None]:
    shares = _SLOTS.setdefault(pool, {})
    share = shares.setdefault(owner, _StreamSlots(asyncio.Semaphore(max(1, pool.max_size // 2))))
    share.lists += 1
    try:
        try:
            async with asyncio.timeout(most):
                await share.free.acquire()
        except TimeoutError:
            raise Unavailable(BUSY, UnavailableCode.BUSY) from None
        try:
            yield
        finally:
            share.free.release()
    finally:
        share.lists -= 1
        if not share.lists:
            del shares[owner]


def owners(pool: Pool) -> int:
    """How many owners hold a connection of the pool or wait for one; nothing is kept in memory for others."""
    return len(_SLOTS.get(pool, {}))


def authenticated_request(scope: Scope) -> AuthenticatedRequest | None:
    """The result of the request's authentication dependency; None for a route without authentication."""
    return next((answer for answer in auth_results(scope) if isinstance(answer, AuthenticatedRequest)), None)
