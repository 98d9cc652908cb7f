"""SQL of signing in: credentials by address, and the session that a password or a code opens."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.authentication.session import ClientInfo, Stage
from tonnage.db import Connection
from tonnage.email_address import email_key


class StoredCredentials(NamedTuple):
    """The stored data that a sign-in is checked against."""

    member_id: UUID
    password_hash: str
    has_second_factor: bool


async def credentials_by_email(conn: Connection, email: str) -> StoredCredentials | None:
    """The credentials of the member with that address, in an open organisation."""
    cursor = await conn.execute(
        """
        select m.id, m.password_hash, m.second_factor_enabled_at is not null
        from member m join organisation o on o.id = m.organisation_id
        where m.email_key = %s and o.closed_at is null and m.withheld_at is null
        """,
        [email_key(email)],
    )
    row = await cursor.fetchone()
    return StoredCredentials(*row) if row else None


async def password_hash_of(conn: Connection, member_id: UUID) -> str | None:
    """The hash of a member's password; None if the member no longer exists."""
    row = await (await conn.execute("select password_hash from member where id = %s", [member_id])).fetchone()
    return row[0] if row else None


async def insert_session(
    conn: Connection, login: StoredCredentials, token_digest: bytes, stage: Stage, client: ClientInfo, now: datetime
) -> bool:
    """Opens a session. False if the password is no longer the one that was verified.

    A concurrent password change waits for this statement, or this statement waits for it. The change ends the sessions
    that it finds, so none may be opened with the old password afterwards.
    """
    cursor = await conn.execute(
        """
        with m as (
            select id from member
            where id = %(member)s and password_hash = %(hash)s and withheld_at is null
                and (second_factor_enabled_at is not null) = %(has_factor)s
            for no key update
        )
        insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
        select id, %(digest)s, %(stage)s, %(now)s, %(now)s, %(address)s, %(agent)s from m
        returning id
        """,
        {
            "member": login.member_id,
            "hash": login.password_hash,
            "has_factor": login.has_second_factor,
            "digest": token_digest,
            "stage": stage,
            "now": now,
            "address": client.address,
            "agent": client.kept_agent,
        },
    )
    return await cursor.fetchone() is not None


async def record_sign_in(conn: Connection, member_id: UUID, now: datetime) -> None:
    """Records a sign-in that is complete, with password and code."""
    await conn.execute("update member set last_signed_in_at = %s where id = %s", [now, member_id])


async def replace_hash(conn: Connection, login: StoredCredentials, password_hash: str) -> None:
    """Stores another hash of the same password. Does nothing if the password was changed meanwhile."""
    await conn.execute(
        "update member set password_hash = %s where id = %s and password_hash = %s",
        [password_hash, login.member_id, login.password_hash],
    )
