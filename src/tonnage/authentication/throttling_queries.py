"""SQL of throttling. An attempt counts as failed before it is verified, so that concurrent attempts gain nothing."""

from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from tonnage.authentication.throttling import LONGEST_BLOCK, SHORTEST_BLOCK, ThrottleKey
from tonnage.db import Connection, one_row

_LEVEL: LiteralString = """
    greatest(0, f.failures - greatest(0, extract(epoch from %(now)s
        - greatest(f.last_failed_at, coalesce(f.blocked_until, f.last_failed_at))) / %(forgotten_after)s)) + 1"""

# A failure counts in full until it has decayed in full: ten in a row are ten, although the first has begun to decay.
# The millionth is the rounding error of a sum of fractions.
_WHOLE: LiteralString = f"ceil({_LEVEL} - 0.000001)"

_DOUBLINGS = 20
"""More than the number of steps from the shortest block to the longest."""


class Attempt(NamedTuple):
    """An attempt. If `blocked_until` is set, it must not be verified and was not counted."""

    blocks: bool
    """If it fails, it is the one that leads to a block. That block is in force already."""
    blocked_until: datetime | None


async def count_attempt(conn: Connection, subject: ThrottleKey, now: datetime) -> Attempt:
    """Counts an attempt, unless its subject is blocked."""
    cursor = await conn.execute(
        f"""
        with counted as (
            insert into sign_in_throttle as f (subject, failures, last_failed_at) values (%(subject)s, 1, %(now)s)
            on conflict (subject) do update set
                last_failed_at = greatest(f.last_failed_at, %(now)s), failures = {_LEVEL},
                blocked_until = case when {_WHOLE} >= %(most)s then %(now)s + least(%(longest)s::interval,
                    %(shortest)s::interval * power(2, least(%(doublings)s, {_WHOLE} - %(most)s))) end
            where f.blocked_until is null or f.blocked_until <= %(now)s
            returning f.blocked_until
        )
        select blocked_until is not null, null from counted
        union all
        select false, coalesce((select blocked_until from sign_in_throttle where subject = %(subject)s),
                               %(now)s + %(shortest)s::interval)
        where not exists (select from counted)
        """,
        {
            "subject": subject.digest,
            "now": now,
            "most": subject.failures,
            "forgotten_after": subject.forgotten_after,
            "shortest": SHORTEST_BLOCK,
            "longest": LONGEST_BLOCK,
            "doublings": _DOUBLINGS,
        },
    )
    return Attempt(*await one_row(cursor))


async def uncount_attempt(conn: Connection, subject: ThrottleKey, counted: Attempt) -> None:
    """Uncounts an attempt that was no failure. Removes the block that it would have led to; a block that other attempts
    led to stays.
    """
    await conn.execute(
        """
        update sign_in_throttle set failures = greatest(0, failures - 1),
            blocked_until = case when not %(blocks)s then blocked_until end
        where subject = %(subject)s
        """,
        {"subject": subject.digest, "blocks": counted.blocks},
    )


async def reset_count(conn: Connection, subject: ThrottleKey) -> None:
    """Resets all failures of a subject, after a sign-in has shown that they were mistakes."""
    await conn.execute("delete from sign_in_throttle where subject = %s", [subject.digest])


async def delete_old(conn: Connection, now: datetime, age: timedelta) -> None:
    """Deletes counts that have decayed to zero by then."""
    await conn.execute(
        "delete from sign_in_throttle where greatest(last_failed_at, blocked_until) <= %s - %s::interval", [now, age]
    )
