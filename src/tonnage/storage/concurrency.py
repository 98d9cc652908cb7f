"""Concurrent work on many accounts of a cluster, with a limit."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tonnage.errors import Unavailable
from tonnage.storage.errors import BackendRefused, Misconfigured, NotProvisioned

T = TypeVar("T")
R = TypeVar("R")

MAX_CONCURRENCY = 16
"""Maximum of concurrent requests to one cluster. Measured: more give no higher throughput on a gateway with two cores.
"""


@dataclass
class BatchResult(Generic[T, R]):
    """The result for each item; items that were not started are in neither list."""

    done: list[tuple[T, R]] = field(default_factory=list[tuple[T, R]])
    failed: list[tuple[T, Unavailable | BackendRefused]] = field(
        default_factory=list[tuple[T, Unavailable | BackendRefused]]
    )
    stopped: Unavailable | None = None
    """Why the remaining items were not started: the cluster does not respond."""

    @property
    def away(self) -> Unavailable | None:
        """The error of items that are worth a retry; None: there are none."""
        return self.stopped or next((error for _, error in self.failed if isinstance(error, Unavailable)), None)


async def for_each_concurrently(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int = MAX_CONCURRENCY
) -> BatchResult[T, R]:
    """Runs `work` on every item, `at_once` at a time.

    A failed item does not block the others. The run stops after `at_once` consecutive Unavailable errors, or at the
    first Misconfigured: then the cluster itself is at fault. The first error of any other type is raised.
    """
    outcome: BatchResult[T, R] = BatchResult()
    # Shuffled, so that a few items that always fail do not stop every run before it gets to the others.
    every = list(items)
    waiting = iter(random.sample(every, len(every)))
    in_a_row = 0

    async def go_on() -> None:
        nonlocal in_a_row
        for item in waiting:
            try:
                outcome.done.append((item, await work(item)))
                in_a_row = 0
            except (BackendRefused, NotProvisioned) as error:
                outcome.failed.append((item, error))
                in_a_row = 0
            except Unavailable as error:
                outcome.failed.append((item, error))
                in_a_row += 1
                if in_a_row >= at_once or isinstance(error, Misconfigured):
                    outcome.stopped = error
            if outcome.stopped:
                return

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(go_on())
    except ExceptionGroup as errors:
        # Unwrapped, so that callers can catch it by type, such as a database that was briefly unavailable.
        raise errors.exceptions[0] from None
    return outcome
