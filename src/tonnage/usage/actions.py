"""Actions on usage: storing samples, and retention."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection, Database
from tonnage.errors import FieldError, Invalid
from tonnage.usage import import_queries, retention_queries, rollup_queries
from tonnage.usage.sample import MOST_BAD_LINES, RETENTION_DAYS, BadLine, Sample, SampleFile
from tonnage.utc import day_of


@dataclass(frozen=True)
class RecordedSamples:
    """The result of storing samples: their number, how many were new or changed, the numbers of accounts and days."""

    samples: int
    changed: int
    accounts: int
    days: int


async def record_samples(
    conn: Connection, samples: Iterable[Sample], now: datetime, misread: Sequence[BadLine] = ()
) -> RecordedSamples:
    """Stores samples and updates daily values and totals, in the caller's transaction. All or nothing.

    Idempotent: a known sample changes nothing; another value for the same account and time replaces the old one.
    `misread`: lines that could not be parsed; it may be a list that is filled while `samples` is read. Samples with a
    number of objects are measurements of the present moment, `now`. Invalid, with a field error `line N` for each of
    the first 20 wrong lines: unknown account, a day before the account's first or after its last, a time more than five
    minutes ahead of `now`, two values for one account and time.
    """
    count = await import_queries.stage(conn, samples)
    wrong = sorted([*misread, *await import_queries.refused(conn, now)])[:MOST_BAD_LINES]
    if wrong:
        raise _invalid(wrong)
    await rollup_queries.make_partitions(conn)
    await rollup_queries.lock_accounts(conn)
    changed = await rollup_queries.store(conn)
    await rollup_queries.record_objects(conn, now)
    accounts, days = await rollup_queries.affected_days(conn)
    await rollup_queries.roll_up(conn)
    await rollup_queries.lock_partners_days(conn)
    await rollup_queries.write(conn)
    await rollup_queries.update_totals(conn)
    return RecordedSamples(count, changed, accounts, days)


async def import_samples(
    conn: Connection,
    actor: Actor,
    lines: Iterable[bytes],
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> RecordedSamples:
    """`record_samples` for a CSV file, given as its lines (see `SampleFile`, `lines_of`), for the operator.

    In the caller's transaction. A retry needs the lines again from the start.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    # Imports for the same accounts run one after the other, and a large one takes long.
    await import_queries.wait_for_locks(conn)
    file = SampleFile(lines, progress)
    recorded = await record_samples(conn, file, now, file.bad)
    await import_queries.audit_import(conn, asdict(recorded), actor.stamp)
    return recorded


async def run_maintenance(database: Database, now: datetime) -> int:
    """Creates the partitions of the next three months and deletes raw samples, hourly traffic and sampling runs older
    than RETENTION_DAYS. Returns the number of samples deleted.

    Deletes whole days only, so that no daily value is ever computed from a part of its samples or hours. Safe to
    interrupt at any point: the next run continues.
    """
    today = day_of(now)
    await database.run(retention_queries.make_coming_partitions, today)
    oldest = today - timedelta(days=RETENTION_DAYS)
    trimmed = 0
    after: int | None = 0
    while after is not None:
        after, count = await database.run(retention_queries.trim, oldest, after)
        trimmed += count
    await database.run(retention_queries.trim_runs, oldest)
    return trimmed


def _invalid(wrong: Sequence[BadLine]) -> Invalid:
    fields = tuple(FieldError(f"line {line}", reason) for line, reason in wrong)
    first = f"{fields[0].field}: {fields[0].message}"
    if len(wrong) == 1:
        return Invalid(f"Nothing was recorded, because a line is wrong ({first}).", fields)
    count = f"{len(wrong)} lines{' or more' if len(wrong) == MOST_BAD_LINES else ''}"
    return Invalid(f"Nothing was recorded, because {count} are wrong. The first is {first}.", fields)
