"""SQL of the mails that bring statements to their buyers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection

RETRY, GIVE_UP = timedelta(days=1), timedelta(days=60)
"""A mail that could not be addressed is tried once a day, until it is too old to surprise its reader."""


_VOID: LiteralString = "exists (select from statement s where s.id = m.statement_id and s.voided_at is not null)"


class Refusal(StrEnum):
    """Why a statement was not mailed."""

    NO_ADDRESS = "no_address"
    """The buyer's billing profile has no e-mail address."""
    REJECTED = "rejected"
    """The mail server does not accept such an address."""
    FAILED = "failed"
    """The mail could not be made: the log says why."""


async def queue_mails(conn: Connection, seller_id: UUID, statement_ids: Sequence[UUID], now: datetime) -> None:
    """In the transaction that gives them their numbers; nothing, if the seller does not mail its documents."""
    await conn.execute(
        """
        insert into statement_mail (statement_id, queued_at)
        select statement_id, %(now)s from unnest(%(ids)s::uuid[]) as statement_id
        where exists (select from seller_settings where organisation_id = %(seller)s and mail_documents)
        """,
        {"ids": list(statement_ids), "seller": seller_id, "now": now},
    )


async def due(conn: Connection, now: datetime, most: int) -> list[UUID]:
    """The first statements that are to be mailed now."""
    cursor = await conn.execute(
        f"""
        select statement_id from statement_mail m
        where sent_at is null and coalesce(tried_at, queued_at) <= case when tried_at is null then %(now)s
                else %(now)s - %(retry)s end
            and queued_at > %(now)s - %(give_up)s and not {_VOID}
        order by coalesce(tried_at, queued_at), statement_id limit %(most)s
        """,
        {"now": now, "retry": RETRY, "give_up": GIVE_UP, "most": most},
    )
    return [row[0] for row in await cursor.fetchall()]


async def hold(conn: Connection, statement_id: UUID, now: datetime) -> bool:
    """Whether it is still to be mailed: nobody else does until the transaction ends."""
    cursor = await conn.execute(
        f"""
        select from statement_mail m where statement_id = %s and sent_at is null
            and coalesce(tried_at <= %s, true) and not {_VOID} for update skip locked
        """,
        [statement_id, now - RETRY],
    )
    return await cursor.fetchone() is not None


async def store(conn: Connection, statement_id: UUID, now: datetime, refusal: Refusal | None) -> None:
    """That it was mailed, or why not."""
    await conn.execute(
        """
        update statement_mail set tried_at = %(now)s, refused = %(refused)s,
            sent_at = case when %(refused)s::text is null then %(now)s end
        where statement_id = %(id)s
        """,
        {"id": statement_id, "now": now, "refused": refusal},
    )


async def organisation_of(conn: Connection, contract_id: UUID) -> UUID:
    """Who pays for a contract."""
    cursor = await conn.execute("select distributor_id from contract where id = %s", [contract_id])
    row = await cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no contract {contract_id}")
    return row[0]
