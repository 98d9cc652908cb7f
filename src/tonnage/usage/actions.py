"""Actions on usage: storing samples, and retention."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from tonnage.access.actor import Actor, Kind, Role
from tonnage.accounts.actions import no_account
from tonnage.db import Connection, Database
from tonnage.error_codes import UnavailableCode
from tonnage.errors import FieldError, Invalid, Unavailable
from tonnage.jobs import defer
from tonnage.jobs.queries import database_time
from tonnage.usage import import_queries, queries, retention_queries, rollup_queries, totals_queries
from tonnage.usage.correction import Correction
from tonnage.usage.sample import MOST_BAD_LINES, BadLine, Sample, SampleFile, oldest_kept
from tonnage.utc import day_of

_log = logging.getLogger(__name__)

LINES_AT_ONCE = 10_000
"""Lines of a file that are recorded in one transaction: some tenths of a second, for which their accounts are locked.
"""

DatabaseClock: TypeAlias = Callable[[Connection], Awaitable[datetime]]
"""Reads the clock of the database."""


@dataclass(frozen=True)
class RecordedSamples:
    """The result of storing samples: how many were new or changed, the numbers of their accounts and days."""

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
    the first 20 wrong lines: unknown account, a day before the account's first or after its last, a closed day, a time
    more than five minutes ahead of `now`, two values for one account and time.
    """
    await _validate(conn, samples, now, misread)
    return await _record_staged(conn, now)


async def _validate(conn: Connection, samples: Iterable[Sample], now: datetime, misread: Sequence[BadLine]) -> None:
    await import_queries.stage(conn, samples)
    first_open = await retention_queries.hold_closed_days(conn)
    wrong = [*misread, *await import_queries.refused(conn, now, first_open)]
    if wrong:
        raise _invalid(wrong)


async def _record_staged(conn: Connection, now: datetime) -> RecordedSamples:
    times = await rollup_queries.make_partitions(conn)
    if times is None:
        return RecordedSamples(0, 0, 0)
    await rollup_queries.lock_accounts(conn)
    changed = await rollup_queries.store(conn, times)
    affected = await rollup_queries.affected_days(conn)
    await _roll_up(conn, affected, now)
    return RecordedSamples(changed, affected.accounts, affected.days) if affected else RecordedSamples(changed, 0, 0)


async def import_samples(
    database: Database,
    actor: Actor,
    open_lines: Callable[[], Iterable[bytes]],
    now: datetime,
    progress: Callable[[int], None] | None = None,
    *,
    force: bool = False,
) -> tuple[int, RecordedSamples]:
    """Records the samples of a CSV file (see `SampleFile`, `lines_of`), for the operator. Returns their number, and
    what was recorded.

    The whole file is accepted or refused first, in a transaction that locks nobody's account. What was accepted is then
    recorded in short transactions, some accounts each, so that nobody waits for all of it. `open_lines` returns the
    lines from the start, and may be called again. `force`: accepts lines for accounts on a cluster, for hours of which
    there is no sample of the cluster.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)

    async def accept(conn: Connection) -> int:
        return await accept_samples(conn, actor, SampleFile(open_lines(), progress), now, force=force)

    accepted = await database.transaction(accept)
    return accepted, await record_accepted(database, now)


async def accept_samples(
    conn: Connection, actor: Actor, file: SampleFile, now: datetime, *, force: bool = False
) -> int:
    """Validates a file and stores its lines, to be recorded by `record_accepted`; returns their number.

    Invalid as for `record_samples`, and for lines of accounts on a cluster. In the caller's transaction.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    count = await import_queries.stage(conn, file)
    first_open = await retention_queries.hold_closed_days(conn)
    known = await import_queries.refused(conn, now, first_open)
    sampled = await import_queries.sampled_elsewhere(conn, force=force)
    wrong = [*file.bad, *known, *[one for one in sampled if one.line not in {line for line, _ in known}]]
    if wrong:
        raise _invalid(wrong)
    await import_queries.accept(conn, actor.stamp)
    return count


async def record_accepted(database: Database, now: datetime, lines: int = LINES_AT_ONCE) -> RecordedSamples:
    """Records all accepted lines, about `lines` of them per transaction, and of each account all together.

    Safe to interrupt at any point, and to run several times at once: what is left is recorded by the next call. The job
    `usage.record_accepted` makes one every five minutes.
    """
    changed = accounts = days = 0
    after: int | None = 0

    async def record(conn: Connection, after: int) -> tuple[int | None, RecordedSamples]:
        last = await import_queries.take_lines(conn, after, lines)
        return last, await _record_staged(conn, now)

    while after is not None:
        after, recorded = await database.transaction(record, after)
        changed, accounts, days = changed + recorded.changed, accounts + recorded.accounts, days + recorded.days
    if changed:
        await database.run(defer, "alerts.evaluate", "all")
    return RecordedSamples(changed, accounts, days)


async def finish_days(conn: Connection, account_id: int) -> None:
    """Writes the daily values of a purged account through the day of its purge; from then on it stores nothing."""
    first_open = await retention_queries.hold_closed_days(conn)
    purged_on = await rollup_queries.lock_purged(conn, account_id, first_open)
    if purged_on is not None:
        await _touch_and_roll_up(conn, account_id, purged_on)


async def _touch_and_roll_up(conn: Connection, account_id: int, day: date) -> None:
    """Computes a day of an account again, without new samples."""
    await import_queries.empty_staged(conn)
    await rollup_queries.touch(conn, account_id, day)
    await _roll_up(conn, await rollup_queries.affected_days(conn))


async def _roll_up(conn: Connection, affected: rollup_queries.Affected | None, now: datetime | None = None) -> None:
    if affected is not None and (days := await rollup_queries.roll_up(conn, affected.times)) is not None:
        await totals_queries.lock_partners_days(conn)
        await totals_queries.write(conn, *days)
    await totals_queries.update_totals(conn, now)


async def create_partitions(database: Database, now: datetime) -> None:
    """Creates the partitions of the coming days and months."""
    await database.run(retention_queries.make_coming_partitions, day_of(now))


async def correct_day(conn: Connection, actor: Actor, account_id: int, correction: Correction, now: datetime) -> bool:
    """Sets the value of a closed day, for the operator. False: it has that value already.

    In the caller's transaction. NotFound: no such account. Invalid, naming `day`: a day on which the account did not
    exist, or one that is open, which is computed from its readings.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    first_open = await retention_queries.hold_closed_days(conn)
    days = await queries.lock_days(conn, account_id, correction.day, day_of(now))
    if days is None:
        raise no_account(account_id)
    correction.check(days, first_open)
    if days.rolled_up_to < correction.day:
        # Days without readings, which nobody has written yet.
        await _touch_and_roll_up(conn, account_id, correction.day)
    return await queries.correct(conn, account_id, correction, actor.stamp)


async def begin_trim(database: Database, now: datetime, database_clock: DatabaseClock = database_time) -> date | None:
    """Begins a round that deletes readings, or a cluster's usage log: returns the first day that is kept.

    None: nothing may be deleted, because the clocks of this machine and of the database differ. Every such round begins
    here.
    """
    database_now = await database.run(database_clock)
    oldest = oldest_kept(now, database_now)
    if oldest is None:
        _log.error(
            "nothing is deleted, because this machine's clock says %s and the database's %s",
            now.isoformat(timespec="seconds"),
            database_now.isoformat(timespec="seconds"),
        )
    return oldest


async def run_maintenance(database: Database, now: datetime, database_clock: DatabaseClock = database_time) -> int:
    """Creates the partitions of the next three months, closes the days older than RETENTION_DAYS for readings, and
    deletes their raw samples, hourly traffic and sampling runs. Returns the number of partitions dropped.

    Drops whole days only, and after they are closed, so that no daily value is ever computed from a part of its
    samples or hours. Safe to interrupt at any point: the next run continues. Unavailable: the clocks differ.
    """
    await create_partitions(database, now)
    await record_accepted(database, now)
    oldest = await begin_trim(database, now, database_clock)
    if oldest is None:
        raise Unavailable(
            "The clocks of this machine and of the database differ. Synchronise them with NTP.",
            UnavailableCode.CLOCKS_DIFFER,
        )
    first_open = await database.run(retention_queries.close_days, oldest)
    dropped = 0
    for statement in (retention_queries.DROP_SAMPLES, retention_queries.DROP_HOURS):
        while await database.run(retention_queries.drop_oldest_day, statement, first_open):
            dropped += 1
    await database.run(retention_queries.trim_runs, first_open)
    return dropped


def _invalid(bad: Iterable[BadLine]) -> Invalid:
    wrong = sorted(bad)[:MOST_BAD_LINES]
    fields = tuple(FieldError(f"line {line}", reason) for line, reason in wrong)
    first = f"{fields[0].field}: {fields[0].message}"
    if len(wrong) == 1:
        return Invalid(f"Nothing was recorded, because a line is wrong ({first}).", fields)
    count = f"{len(wrong)} lines{' or more' if len(wrong) == MOST_BAD_LINES else ''}"
    return Invalid(f"Nothing was recorded, because {count} are wrong. The first is {first}.", fields)
