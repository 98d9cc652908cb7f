"""What can be done to usage: samples come in, and what is too old goes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import Connection, Database
from tonnage.errors import FieldError, Invalid
from tonnage.usage import import_queries, retention_queries, rollup_queries
from tonnage.usage.sample import MOST_BAD_LINES, BadLine, Sample, SampleFile

RAW_DAYS = 40
"""How long raw samples, and the traffic of single hours, are kept."""


@dataclass(frozen=True)
class RecordedSamples:
    """What became of samples: how many there were, how many of them were news, whose, and for how many daily values."""

    samples: int
    changed: int
    accounts: int
    days: int


async def record_samples(
    conn: Connection, samples: Iterable[Sample], now: datetime, misread: Sequence[BadLine] = ()
) -> RecordedSamples:
    """Stores samples and brings daily values and totals up to them, in the caller's transaction. All or nothing.

    What is known already changes nothing; another value for the same account and time replaces the old one. `misread`
    are lines that were no samples; it may be a list that fills while `samples` is read. Samples that know the objects
    are measurements of this moment, `now`. Invalid, with a field error `line N` for each of the first 20 wrong lines:
    unknown account, a day before its first or after its last, a time more than five minutes ahead of `now`, two values
    for one account and time.
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

    In the caller's transaction; one that is tried again must give the lines again.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    # Two files about the same accounts take turns, and a large one takes its time.
    await import_queries.wait_for_locks(conn)
    file = SampleFile(lines, progress)
    recorded = await record_samples(conn, file, now, file.bad)
    await import_queries.audit_import(conn, asdict(recorded), actor.stamp)
    return recorded


async def run_maintenance(database: Database, now: datetime) -> int:
    """Makes the partitions of the next three months and drops what is older than RAW_DAYS: raw samples, whose number it
    gives, and the traffic of single hours.

    Whole days go, so that a day is never measured from the rest of its samples, nor summed from that of its hours.
    Interrupted anywhere, the next run does the rest.
    """
    today = now.astimezone(UTC).date()
    await database.run(retention_queries.make_coming_partitions, today)
    oldest = today - timedelta(days=RAW_DAYS)
    trimmed = 0
    after: int | None = 0
    while after is not None:
        after, count = await database.run(retention_queries.trim, oldest, after)
        trimmed += count
    return trimmed


def _invalid(wrong: Sequence[BadLine]) -> Invalid:
    fields = tuple(FieldError(f"line {line}", reason) for line, reason in wrong)
    first = f"{fields[0].field}: {fields[0].message}"
    if len(wrong) == 1:
        return Invalid(f"Nothing was recorded, because a line is wrong; {first}.", fields)
    count = f"{len(wrong)} lines{' or more' if len(wrong) == MOST_BAD_LINES else ''}"
    return Invalid(f"Nothing was recorded, because {count} are wrong; the first is {first}.", fields)
