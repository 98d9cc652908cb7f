"""Asking for a job on the caller's connection: it is there when the transaction is, and gone when it is rolled back."""

from procrastinate import App, PsycopgConnector

from tonnage.db import Connection
from tonnage.jobs import queries

SHORT, LONG = "default", "long"
"""Queues. Workers keep slots for each: what takes minutes must not keep new accounts and leaked keys waiting."""

_LONG = {"accounts.purge_region", "accounts.sweep", "usage.sample"}

# Never opened: it only words the statement, which goes over the caller's connection.
_queue = App(connector=PsycopgConnector())


async def defer(conn: Connection, name: str, subject: object) -> None:
    """Asks for the job `name` about one thing, such as a region's id: see worker.py for what there is.

    Jobs of the same name and subject run one after the other, and one does the work of all that wait with it. So asking
    once too often costs next to nothing, and a job must look at what there is rather than at what it was told.
    """
    # One that waits for its next try has the turn, and it would be ours to wait for it.
    await queries.hasten(conn, turn(name, subject))
    job = _queue.configure_task(name, lock=turn(name, subject), queue=queue_of(name), connection=conn)
    await job.defer_async(subject=str(subject))


def turn(name: str, subject: object) -> str:
    """What jobs have in common that take turns."""
    return f"{name}/{subject}"


def queue_of(name: str) -> str:
    """Where a job waits."""
    return LONG if name in _LONG else SHORT
