"""SQL of second factors. Their seeds are sealed: see second_factor_actions.py."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tonnage.db import Connection, one_row


async def take_step(conn: Connection, member_id: UUID, step: int) -> bool:
    """Marks the code of that time step as used. False if that code or a later one was used already."""
    cursor = await conn.execute(
        """
        update member set second_factor_last_step = %(step)s
        where id = %(member)s and second_factor_enabled_at is not null
            and (second_factor_last_step is null or second_factor_last_step < %(step)s)
        returning id
        """,
        {"member": member_id, "step": step},
    )
    return await cursor.fetchone() is not None


async def take_recovery_code(conn: Connection, member_id: UUID, code_digest: bytes, stamp: str) -> bool:
    """Marks a recovery code as used. False if the member has no such unused code."""
    cursor = await conn.execute(
        """
        with used as (
            delete from recovery_code c using member m
            where c.member_id = %(member)s and c.digest = %(digest)s and m.id = c.member_id
            returning m.organisation_id, m.id
        )
        select audit(%(stamp)s, organisation_id, 'member.use-recovery-code', id::text, null, null) from used
        """,
        {"member": member_id, "digest": code_digest, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


async def add_factor(conn: Connection, member_id: UUID, step: int, now: datetime, stamp: str) -> int | None:
    """Adds a factor; returns the audit entry. None if the member has one already. `step` is the time step of the code
    that confirmed it.
    """
    cursor = await conn.execute(
        """
        with m as (
            update member set second_factor_enabled_at = %(now)s, second_factor_last_step = %(step)s
            where id = %(member)s and second_factor_enabled_at is null returning *
        )
        select audit(%(stamp)s, organisation_id, 'member.add-second-factor', id::text, null, null) from m
        """,
        {"member": member_id, "step": step, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def remove_factor(conn: Connection, member_id: UUID, stamp: str) -> int | None:
    """Removes the factor and the recovery codes; returns the audit entry. None if the organisation requires one."""
    cursor = await conn.execute(
        """
        with m as (
            update member m set second_factor_enabled_at = null, second_factor_last_step = null from organisation o
            where m.id = %(member)s and o.id = m.organisation_id and not o.second_factor_required
            returning m.*
        ), gone as (
            delete from recovery_code using m where member_id = m.id
        )
        select audit(%(stamp)s, organisation_id, 'member.remove-second-factor', id::text, null, null) from m
        """,
        {"member": member_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def reset_factor(conn: Connection, organisation_id: UUID | None, member_id: UUID, stamp: str) -> int | None:
    """Removes the factor and the recovery codes of a member; returns the audit entry. None if there is no such member
    (of any organisation, if that is None).
    """
    cursor = await conn.execute(
        """
        with m as (
            update member set second_factor_enabled_at = null, second_factor_last_step = null
            where id = %(member)s and (%(organisation)s::uuid is null or organisation_id = %(organisation)s)
            returning *
        ), gone as (
            delete from recovery_code using m where member_id = m.id
        )
        select audit(%(stamp)s, organisation_id, 'member.reset-second-factor', id::text, null, null) from m
        """,
        {"member": member_id, "organisation": organisation_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def replace_recovery_codes(conn: Connection, member_id: UUID, digests: Sequence[bytes]) -> None:
    """Replaces all recovery codes. The caller has locked the member."""
    await conn.execute("delete from recovery_code where member_id = %s", [member_id])
    await conn.execute(
        "insert into recovery_code (member_id, digest) select %s, unnest(%s::bytea[])", [member_id, list(digests)]
    )


async def hold_factor(conn: Connection, member_id: UUID, stamp: str) -> int | None:
    """Locks a member until the transaction ends, for new recovery codes; returns the audit entry. None if it has no
    second factor.
    """
    cursor = await conn.execute(
        """
        with m as (
            select * from member where id = %(member)s and second_factor_enabled_at is not null for no key update
        )
        select audit(%(stamp)s, organisation_id, 'member.renew-recovery-codes', id::text, null, null) from m
        """,
        {"member": member_id, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def recovery_codes_left(conn: Connection, member_id: UUID) -> int:
    """The number of a member's unused recovery codes."""
    cursor = await conn.execute("select count(*) from recovery_code where member_id = %s", [member_id])
    return (await one_row(cursor))[0]


async def set_required(conn: Connection, organisation_id: UUID, required: bool, stamp: str) -> bool:
    """Sets whether a second factor is required. False if the organisation is not open. Audited only if the value
    changes.
    """
    cursor = await conn.execute(
        """
        with o as (
            select id, second_factor_required from organisation
            where id = %(organisation)s and closed_at is null for no key update
        ), changed as (
            update organisation set second_factor_required = %(required)s from o
            where organisation.id = o.id and o.second_factor_required <> %(required)s
            returning o.id, o.second_factor_required as before
        )
        select o.id, (select audit(%(stamp)s, c.id, 'organisation.require-second-factor', c.id::text,
            jsonb_build_object('required', c.before), jsonb_build_object('required', %(required)s::boolean))
            from changed c)
        from o
        """,
        {"organisation": organisation_id, "required": required, "stamp": stamp},
    )
    return await cursor.fetchone() is not None
