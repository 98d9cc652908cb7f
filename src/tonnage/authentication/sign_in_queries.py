"""SQL of signing in: credentials by address, and the session that a password or a code opens."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication.session import ClientInfo, Stage
from tonnage.db import Connection
from tonnage.email_address import email_key
from tonnage.errors import Sentence
from tonnage.members.member import MEMBER_LOCKED
from tonnage.organisations.organisation import organisation_locked


class StoredCredentials(NamedTuple):
    """The stored data that a sign-in is checked against."""

    member_id: UUID
    password_hash: str
    has_second_factor: bool
    organisation_id: UUID
    kind: str
    role: str

    @property
    def actor(self) -> Actor:
        """The member as an actor."""
        return Actor(self.organisation_id, Kind(self.kind), Role(self.role), "member", self.member_id)


class SignInLocks(NamedTuple):
    """What refuses a sign-in although the password is right."""

    is_member_locked: bool
    organisation_lock_reason: str | None
    """None: the organisation is not locked."""

    @property
    def refusal(self) -> Sentence | None:
        """The sentence for the member; None if nothing is locked."""
        if self.organisation_lock_reason is not None:
            return organisation_locked(self.organisation_lock_reason)
        return MEMBER_LOCKED if self.is_member_locked else None


async def credentials_by_email(conn: Connection, email: str) -> StoredCredentials | None:
    """The credentials of the member with that address, in an open organisation."""
    cursor = await conn.execute(
        """
        select m.id, m.password_hash, m.second_factor_enabled_at is not null, o.id, o.kind, m.role
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
) -> SignInLocks | None:
    """Opens a session, unless the member or its organisation is locked. None if the password is no longer the one that
    was verified.

    A concurrent change of the password, or lock of the member, waits for this statement, or this statement waits for
    it. The change ends the sessions that it finds, so none may be opened with the old password afterwards.
    """
    cursor = await conn.execute(
        """
        with m as (
            select m.id, m.locked_at is not null as is_locked, o.lock_reason
            from member m join organisation o on o.id = m.organisation_id
            where m.id = %(member)s and m.password_hash = %(hash)s and m.withheld_at is null
                and (m.second_factor_enabled_at is not null) = %(has_factor)s
            for no key update of m
        ), s as (
            insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
            select id, %(digest)s, %(stage)s, %(now)s, %(now)s, %(address)s, %(agent)s
            from m where not is_locked and lock_reason is null
        )
        select is_locked, lock_reason from m
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
    row = await cursor.fetchone()
    return SignInLocks(*row) if row else None


async def hold_member(conn: Connection, member_id: UUID) -> None:
    """Locks a member until the transaction ends."""
    await conn.execute("select id from member where id = %s for no key update", [member_id])


async def record_sign_in(
    conn: Connection, member_id: UUID, now: datetime, stamp: str, *, with_code: bool, on_new_device: bool
) -> int | None:
    """Records a sign-in that is complete, with password and code. Returns the audit entry; None for the member's first
    sign-in.
    """
    cursor = await conn.execute(
        """
        with old as (
            select id, last_signed_in_at is null as is_first from member where id = %(member)s
        ), m as (
            update member set last_signed_in_at = %(now)s from old where member.id = old.id
            returning member.organisation_id, member.id, old.is_first
        )
        select is_first, audit(%(stamp)s, organisation_id, 'member.sign-in', id::text, null,
            jsonb_strip_nulls(jsonb_build_object(
                'secondFactor', nullif(%(with_code)s, false), 'newDevice', nullif(%(on_new_device)s, false))))
        from m
        """,
        {"now": now, "member": member_id, "stamp": stamp, "with_code": with_code, "on_new_device": on_new_device},
    )
    row = await cursor.fetchone()
    return None if row is None or row[0] else row[1]


async def replace_hash(conn: Connection, login: StoredCredentials, password_hash: str) -> None:
    """Stores another hash of the same password. Does nothing if the password was changed meanwhile."""
    await conn.execute(
        "update member set password_hash = %s where id = %s and password_hash = %s",
        [password_hash, login.member_id, login.password_hash],
    )
