"""Work on many accounts of a cluster, some at a time."""

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
"""Calls under way on one cluster. Measured: with more, a gateway on two cores does not do more."""


@dataclass
class BatchResult(Generic[T, R]):
    """What became of each item; items that were not begun are in neither list."""

    done: list[tuple[T, R]] = field(default_factory=list[tuple[T, R]])
    failed: list[tuple[T, Unavailable | BackendRefused]] = field(
        default_factory=list[tuple[T, Unavailable | BackendRefused]]
    )
    stopped: Unavailable | None = None
    """Why the rest was not even tried: the cluster is away."""

    @property
    def away(self) -> Unavailable | None:
        """Why some are worth another try; None: there are none such."""
        return self.stopped or next((error for _, error in self.failed if isinstance(error, Unavailable)), None)


async def for_each_concurrently(
    items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int = MAX_CONCURRENCY
) -> BatchResult[T, R]:
    """Runs `work` on every item, `at_once` at a time.

    One that fails does not keep the others from being tried, until so many in a row are unavailable as run at a time,
    or one says that the operator must act: then it is the cluster, and nothing more is begun. The first error of
    another kind is raised.
    """
    outcome: BatchResult[T, R] = BatchResult()
    # Shuffled: a few that always fail must not stand in a row before the others at every call.
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
        # As it is: whoever catches it looks at its kind, such as a database that was away for a moment.
        raise errors.exceptions[0] from None
    return outcome
