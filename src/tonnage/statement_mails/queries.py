"""SQL of the mails that bring statements to their buyers."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection


class Refusal(StrEnum):
    """Why a statement was not mailed."""

    NO_ADDRESS = "no_address"
    """The buyer's billing profile has no e-mail address."""
    REJECTED = "rejected"
    """The mail server does not accept the address, or the mail."""
    FAILED = "failed"
    """The mail could not be made: the log says why."""


_VOID: LiteralString = "exists (select from statement s where s.id = m.statement_id and s.voided_at is not null)"


async def queue_mails(conn: Connection, statement_ids: Sequence[UUID], now: datetime) -> None:
    """In the transaction that gives them their numbers, if the seller mails its documents."""
    await conn.execute(
        """
        insert into statement_mail (statement_id, queued_at, due_at)
        select statement_id, %(now)s, %(now)s from unnest(%(ids)s::uuid[]) as statement_id
        """,
        {"ids": list(statement_ids), "now": now},
    )


async def due(conn: Connection, now: datetime, most: int) -> list[UUID]:
    """The first statements that are to be mailed now."""
    cursor = await conn.execute(
        f"""
        select statement_id from statement_mail m where due_at <= %s and not {_VOID}
        order by due_at, statement_id limit %s
        """,
        [now, most],
    )
    return [row[0] for row in await cursor.fetchall()]


async def hold(conn: Connection, statement_id: UUID, now: datetime) -> datetime | None:
    """When it was queued, if it is still to be mailed: nobody else does until the transaction ends. The transaction may
    be idle for some minutes, while the mail server looks into the file."""
    await conn.execute("set local idle_in_transaction_session_timeout to '10min'")
    cursor = await conn.execute(
        f"""
        select queued_at from statement_mail m where statement_id = %s and due_at <= %s and not {_VOID}
        for update skip locked
        """,
        [statement_id, now],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def store_sent(conn: Connection, statement_id: UUID, now: datetime, stamp: str) -> None:
    """That it was mailed, with an audit entry of its seller."""
    await conn.execute(
        """
        with m as (
            update statement_mail set sent_at = %(now)s, due_at = null, refused = null where statement_id = %(id)s
            returning statement_id
        )
        select audit(%(stamp)s, s.seller_id, 'statements.mail', s.id::text, null,
            jsonb_build_object('number', s.number))
        from m join statement s on s.id = m.statement_id
        """,
        {"now": now, "id": statement_id, "stamp": stamp},
    )


async def store_unsent(conn: Connection, statement_id: UUID, due_at: datetime | None, refusal: Refusal | None) -> None:
    """That it was not mailed, why, and when it is tried again; None: never."""
    await conn.execute(
        "update statement_mail set due_at = %s, refused = %s where statement_id = %s", [due_at, refusal, statement_id]
    )
