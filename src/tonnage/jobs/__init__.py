"""Defers a job on the caller's connection: it exists when the transaction commits, and not when it rolls back."""

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from tonnage.db import Connection
from tonnage.jobs import queries
from tonnage.jobs.declaration import DECLARED

# Never opened: it only builds the statement, which is executed on the caller's connection.
_queue = App(connector=PsycopgConnector())


async def defer(conn: Connection, name: str, subject: object) -> None:
    """Defers the declared job `name` about one subject, such as a region's id. LookupError: no such job is declared.
    Raises the driver's errors.

    Jobs of the same name and subject run one after the other, and one run covers all that are waiting. So a redundant
    deferral costs next to nothing, and a job must read the present state of its subject.
    """
    declared = DECLARED.get(name)
    if declared is None:
        raise LookupError(f"no job {name} is declared; tonnage.worker has to import its module")
    lock = lock_key(name, subject)
    # A job that waits for its retry holds the lock, and the new one would have to wait for it.
    await queries.run_now(conn, lock)
    job = _queue.configure_task(name, lock=lock, queue=declared.stored_queue, connection=conn)
    try:
        await job.defer_async(subject=str(subject))
    except ConnectorException as error:
        # The queue wraps what its driver raises, and with that the class, which says whether to try again.
        raise error.__cause__ or error from None


def lock_key(name: str, subject: object) -> str:
    """Jobs with the same key run one after the other."""
    return f"{name}/{subject}"
