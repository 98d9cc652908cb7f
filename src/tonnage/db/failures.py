"""What an error of the database means for a caller: a closed table of psycopg's classes.

What the state of the server, of its data or of its configuration can cause is a failure of its own, since trying again
later may help. Everything else is a bug in a statement.
"""

from enum import Enum

import psycopg
from psycopg import errors
from psycopg_pool import PoolTimeout

from tonnage.db.deadlines import DeadlineConnection, InDoubt


class Failure(Enum):
    """The meaning of an error. All but the last two are temporary."""

    UNREACHABLE = "unreachable"
    """The server does not respond, refuses the session or the statement, or gives it up."""
    LOCKED = "locked"
    """Another transaction holds or changes the same rows."""
    READ_ONLY = "read-only"
    """The server is a standby, or was made read-only."""
    DISK_FULL = "disk full"
    IN_DOUBT = "in doubt"
    """The server did not confirm a change, which may or may not have been made."""
    CONFLICT = "conflict"
    """The data forbids the change, by a rule that the action has no sentence for."""
    BUG = "bug"


_TABLE: dict[type[psycopg.Error], Failure] = {
    InDoubt: Failure.IN_DOUBT,
    errors.TransactionResolutionUnknown: Failure.IN_DOUBT,
    errors.StatementCompletionUnknown: Failure.IN_DOUBT,
    errors.LockNotAvailable: Failure.LOCKED,
    errors.ObjectInUse: Failure.LOCKED,
    errors.TransactionRollback: Failure.LOCKED,
    errors.DeadlockDetected: Failure.LOCKED,
    errors.SerializationFailure: Failure.LOCKED,
    errors.ReadOnlySqlTransaction: Failure.READ_ONLY,
    errors.DiskFull: Failure.DISK_FULL,
    errors.IntegrityError: Failure.CONFLICT,
    # A total that exceeds bigint.
    errors.NumericValueOutOfRange: Failure.CONFLICT,
    # Also every error without a SQLSTATE: a lost connection, no connection.
    errors.OperationalError: Failure.UNREACHABLE,
    errors.InterfaceError: Failure.UNREACHABLE,
    # Its own errors, corrupt data, and the end of a session by one of its time limits.
    errors.InternalError: Failure.UNREACHABLE,
    # A privilege was revoked from the role, or the database was removed.
    errors.InsufficientPrivilege: Failure.UNREACHABLE,
    errors.InvalidCatalogName: Failure.UNREACHABLE,
    errors.SnapshotTooOld: Failure.UNREACHABLE,
    # A prepared statement that a pooler has lost or mixed up, or that was prepared before a migration.
    errors.InvalidSqlStatementName: Failure.UNREACHABLE,
    errors.DuplicatePreparedStatement: Failure.UNREACHABLE,
    errors.FeatureNotSupported: Failure.UNREACHABLE,
    errors.Error: Failure.BUG,
}

OUTDATED_STATEMENT = (
    errors.InvalidSqlStatementName,
    errors.DuplicatePreparedStatement,
    errors.FeatureNotSupported,
)
"""The server does not have, or cannot use any more, a statement that was prepared in this session. It was not
executed."""

_ENDED = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.DatabaseDropped,
    errors.IdleSessionTimeout,
    errors.ConnectionException,
    errors.ConnectionFailure,
    errors.ConnectionDoesNotExist,
    errors.ProtocolViolation,
)

UNAVAILABLE: tuple[type[Exception], ...] = (
    *(kind for kind, failure in _TABLE.items() if failure not in {Failure.CONFLICT, Failure.BUG}),
    PoolTimeout,
)
"""The classes of errors after which a later attempt may succeed."""


def failure_of(error: psycopg.Error) -> Failure:
    """The meaning of an error, by the most specific of its classes in the table."""
    return next(_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE)


def is_lost(error: psycopg.Error, connection: DeadlineConnection) -> bool:
    """Whether the error says that the server, or the network, has ended the connection."""
    if connection.abandoned or not isinstance(error, psycopg.OperationalError):
        return False
    return connection.closed or isinstance(error, _ENDED)
