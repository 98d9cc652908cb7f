"""Who may hold how many of the connections that carry long lists."""

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
from tonnage.errors import Unavailable
from tonnage.web.routing import auth_results

BUSY = "Your organisation is reading as many long lists as it may at once; try again when one of them has ended."

T = TypeVar("T")


class RunStatement(Protocol):
    """`Database.run`."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` gives, on a connection in autocommit."""
        ...


class Caller(Protocol):
    """Of an Actor, what lists need."""

    @property
    def organisation_id(self) -> Hashable:
        """Whose connections are counted together."""
        ...


class Statements(Protocol):
    """Of a Database, what lists need."""

    @property
    def run(self) -> RunStatement:
        """Runs on a connection that no reader holds."""
        ...


@runtime_checkable
class AuthenticatedRequest(Protocol):
    """What the early check of a door answers: who calls, and the database that answers."""

    @property
    def actor(self) -> Caller:
        """The caller."""
        ...

    @property
    def database(self) -> Statements:
        """The pools."""
        ...


@dataclass
class _StreamSlots:
    """The connections that one organisation may hold at once, and how many of its lists hold or want one."""

    free: asyncio.Semaphore
    lists: int = 0


_SLOTS: WeakKeyDictionary[Pool, dict[Hashable, _StreamSlots]] = WeakKeyDictionary()


@asynccontextmanager
async def connection(pool: Pool, owner: Hashable | None) -> AsyncGenerator[Connection]:
    """A connection of the pool, of which half is the most for one owner: slow readers of one must not stop the others.

    Both waits together take no longer than the pool's own would, nor than the request may still wait.
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
            raise Unavailable(BUSY) from None
        try:
            yield
        finally:
            share.free.release()
    finally:
        share.lists -= 1
        if not share.lists:
            del shares[owner]


def owners(pool: Pool) -> int:
    """How many hold a connection of the pool or wait for one; of all others nothing is in memory."""
    return len(_SLOTS.get(pool, {}))


def authenticated_request(scope: Scope) -> AuthenticatedRequest | None:
    """Whom the door has let in; None for a door that lets in everybody."""
    return next((answer for answer in auth_results(scope) if isinstance(answer, AuthenticatedRequest)), None)
