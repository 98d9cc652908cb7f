"""Cancellations that a library has lost.

Before Python 3.12 `asyncio.wait_for`, with which psycopg_pool waits for a connection, returns its result when it is
cancelled at the moment at which the result arrives. And a statement that is cancelled may end with an error of its
connection. Either way the task goes on, and what waits for its end waits for ever.
"""

import asyncio


def cancellations() -> int:
    """How often the current task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def raise_lost(before: int) -> None:
    """Raises CancelledError if the task was asked to end since there were `before` cancellations. Work that a task does
    because it was cancelled goes on.
    """
    if cancellations() > before:
        raise asyncio.CancelledError
