"""Which errors a command ends with in a sentence; any other is a bug and shows its traceback."""

import psycopg
from psycopg_pool import PoolTimeout

from tonnage.db.failures import Failure, failure_of
from tonnage.embedded import EmbeddedError
from tonnage.errors import TonnageError
from tonnage.migrations import SchemaError
from tonnage.sealing import SealingError

READ_ONLY = "The database does not accept changes: it is read-only or a replica. Use one that does."


def error_message(error: Exception) -> str | None:
    """The message for the person at the command line, or None for a bug."""
    match error:
        case TonnageError() | EmbeddedError() | SchemaError() | SealingError():
            return str(error)
        case PoolTimeout():
            return "The database cannot be reached: no connection within 5 seconds."
        case psycopg.Error():
            return _of_database(error)
        case OSError(filename=str(name), strerror=str(trouble)):
            return f"{name} cannot be used: {trouble}."
        case _:
            return None


def _of_database(error: psycopg.Error) -> str | None:
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return f"The database role may not do this: {error.diag.message_primary}."
        case psycopg.DataError():
            return f"The database does not accept this value: {_one_line(error)}."
        case _:
            template = _MESSAGES.get(failure_of(error))
            return template and template.format(reason=_one_line(error))


_MESSAGES = {
    Failure.UNREACHABLE: "The database cannot be reached: {reason}",
    Failure.LOCKED: "The same data is being changed by another process: {reason}. Nothing was changed. Try again.",
    Failure.READ_ONLY: READ_ONLY,
    Failure.DISK_FULL: "The disk of the database is full: {reason}. Nothing was changed. Make room, then try again.",
    Failure.IN_DOUBT: (
        "The database did not confirm the change, so it may or may not have been made. Check before you try again."
    ),
    Failure.CONFLICT: "This change contradicts other data, which may have been changed at the same moment: {reason}.",
}


def _one_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error)
    return " ".join(text.split()).removeprefix("connection failed: ")
