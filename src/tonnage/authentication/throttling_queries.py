"""SQL of throttling. An attempt counts as failed before it is verified, so that concurrent attempts gain nothing."""

from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple
from uuid import UUID

from tonnage.authentication.throttling import (
    LONGEST_BLOCK,
    MOST_AT_ADDRESS,
    SHORTEST_BLOCK,
    WARNED_AT,
    AddressFailures,
    ThrottleKey,
)
from tonnage.db import Connection, one_row

_LEVEL: LiteralString = """
    greatest(0, f.failures - greatest(0, extract(epoch from %(now)s
        - greatest(f.last_failed_at, coalesce(f.blocked_until, f.last_failed_at))) / %(forgotten_after)s)) + 1"""

# A failure counts in full until it has decayed in full: ten in a row are ten, although the first has begun to decay.
# The millionth is the rounding error of a sum of fractions.
_WHOLE: LiteralString = f"ceil({_LEVEL} - 0.000001)"

# No foreign key and no lock: an attempt waits for nobody's change of a member.
_MEMBER: LiteralString = """
    coalesce(%(member)s::uuid, (select id from member where email_key = %(email_key)s::text))"""

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
            insert into sign_in_throttle as f (subject, failures, last_failed_at, kind, network, member_id)
            values (%(subject)s, 1, %(now)s, %(kind)s, %(network)s::text, {_MEMBER})
            on conflict (subject) do update set
                kind = excluded.kind, network = excluded.network, member_id = excluded.member_id,
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
            "kind": subject.kind,
            "network": subject.network,
            "member": subject.member_id,
            "email_key": subject.email_key,
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


async def count_failure(conn: Connection, address: AddressFailures, now: datetime) -> int | None:
    """Counts an attempt at an address as failed; returns the number of this hour's. None: there are too many."""
    cursor = await conn.execute(
        f"""
        insert into sign_in_failures as f (subject, hour, failures, last_failed_at, member_id)
        values (%(subject)s, %(hour)s, 1, %(now)s, {_MEMBER})
        on conflict (subject, hour) do update set failures = f.failures + 1, member_id = excluded.member_id,
            last_failed_at = greatest(f.last_failed_at, excluded.last_failed_at)
            where f.failures < %(most)s
        returning failures
        """,
        {
            "subject": address.digest,
            "hour": address.hour,
            "now": now,
            "member": None,
            "email_key": address.email_key,
            "most": MOST_AT_ADDRESS,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def uncount_failure(conn: Connection, address: AddressFailures) -> None:
    """Uncounts an attempt that was no failure."""
    await conn.execute(
        "update sign_in_failures set failures = greatest(0, failures - 1) where subject = %s and hour = %s",
        [address.digest, address.hour],
    )


async def unwarned_failures(conn: Connection, address: AddressFailures) -> int | None:
    """The number of failures at an address that its member is to be warned of; None: there are few, or the member was
    warned in this hour.
    """
    cursor = await conn.execute(
        """
        select failures from sign_in_failures
        where subject = %s and hour = %s and failures >= %s and warned_at is null
        """,
        [address.digest, address.hour, WARNED_AT],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def record_warning(
    conn: Connection, address: AddressFailures, member_id: UUID, failures: int, now: datetime, stamp: str
) -> None:
    """Records that the member was warned."""
    cursor = await conn.execute(
        """
        with f as (
            update sign_in_failures set warned_at = %(now)s where subject = %(subject)s and hour = %(hour)s
            returning subject
        )
        select audit(%(stamp)s, m.organisation_id, 'member.sign-in-failures', m.id::text, null,
                     jsonb_build_object('failures', %(failures)s::integer))
        from member m join f on true where m.id = %(member)s
        """,
        {
            "subject": address.digest,
            "hour": address.hour,
            "member": member_id,
            "failures": failures,
            "now": now,
            "stamp": stamp,
        },
    )
    await cursor.fetchone()


async def delete_old(conn: Connection, now: datetime, age: timedelta) -> None:
    """Deletes counts that have decayed to zero by then."""
    await conn.execute("delete from sign_in_failures where hour <= %s - %s::interval", [now, age])
    await conn.execute(
        "delete from sign_in_throttle where greatest(last_failed_at, blocked_until) <= %s - %s::interval", [now, age]
    )


async def record_untrusted_proxy(conn: Connection, peer: str, now: datetime) -> None:
    """Records a peer that sends `X-Forwarded-For` without being a trusted proxy, in place of the one before."""
    await conn.execute(
        """
        insert into untrusted_proxy (peer, seen_at) values (%s, %s)
        on conflict ((true)) do update set peer = excluded.peer, seen_at = excluded.seen_at
        """,
        [peer, now],
    )


async def untrusted_proxy(conn: Connection, since: datetime) -> str | None:
    """The last such peer; None if it was seen before `since`."""
    row = await (await conn.execute("select peer from untrusted_proxy where seen_at > %s", [since])).fetchone()
    return row[0] if row else None
