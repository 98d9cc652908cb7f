"""Asking for a job on the caller's connection: it is there when the transaction is, and gone when it is rolled back."""

from procrastinate import App, PsycopgConnector

from tonnage.db import Connection

# Never opened: it only words the statement, which goes over the caller's connection.
_queue = App(connector=PsycopgConnector())


async def defer(conn: Connection, name: str, subject: object) -> None:
    """Asks for the job `name` about one thing, such as a region's id: see worker.py for what there is.

    Jobs of the same name and subject run one after the other, and one does the work of all that wait with it. So asking
    once too often costs next to nothing, and a job must look at what there is rather than at what it was told.
    """
    job = _queue.configure_task(name, lock=turn(name, subject), connection=conn)
    await job.defer_async(subject=str(subject))


def turn(name: str, subject: object) -> str:
    """What jobs have in common that take turns."""
    return f"{name}/{subject}"
