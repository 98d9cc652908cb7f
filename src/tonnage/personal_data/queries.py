"""SQL of the copies, which have the rows as they are, without what would let their reader sign in; and of erasure."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import LiteralString
from uuid import UUID

from tonnage.db import Connection, streamed
from tonnage.names import name_key

_ORGANISATIONS: LiteralString = "(select id from organisation where %(id)s in (id, parent_id))"
_CONTRACTS: LiteralString = f"(select id from contract where distributor_id in {_ORGANISATIONS})"
_ACCOUNTS: LiteralString = f"(select id from storage_account where partner_id in {_ORGANISATIONS})"

_SOLD_OR_BOUGHT: LiteralString = """(seller_id = %(id)s or partner_id = %(id)s
    or contract_id in (select id from contract where distributor_id = %(id)s))"""
_STATEMENTS: LiteralString = f"num_nonnulls(number, corrects::text) > 0 and {_SOLD_OR_BOUGHT}"

ORGANISATION_TABLES: dict[LiteralString, tuple[LiteralString, LiteralString]] = {
    "organisation": (f"id in {_ORGANISATIONS}", "seq"),
    "member": (f"organisation_id in {_ORGANISATIONS}", "seq"),
    "api_key": (f"organisation_id in {_ORGANISATIONS}", "seq"),
    "webhook_endpoint": (f"organisation_id in {_ORGANISATIONS}", "seq"),
    "contract": (f"id in {_CONTRACTS}", "seq"),
    "contract_terms": (f"contract_id in {_CONTRACTS}", "id"),
    "partner": (f"id in {_ORGANISATIONS}", "seq"),
    "partner_terms": (f"partner_id in {_ORGANISATIONS}", "id"),
    "storage_account": (f"partner_id in {_ORGANISATIONS}", "seq"),
    "account_terms": (f"account_id in {_ACCOUNTS}", "id"),
    "capacity_override": (f"partner_id in {_ORGANISATIONS} or account_id in {_ACCOUNTS}", "seq"),
    "access_key": (f"account_id in {_ACCOUNTS}", "seq"),
    "daily_usage": (f"account_id in {_ACCOUNTS}", "account_id, day"),
    "daily_traffic": (f"account_id in {_ACCOUNTS}", "account_id, day"),
    "billing_profile": (f"organisation_id in {_ORGANISATIONS} or account_id in {_ACCOUNTS}", "id"),
    "alert_levels": (f"organisation_id in {_ORGANISATIONS}", "organisation_id"),
    "contact_mail_setting": (f"organisation_id in {_ORGANISATIONS}", "organisation_id"),
    "contact_mail": (f"account_id in {_ACCOUNTS}", "account_id"),
    "seller_settings": (f"organisation_id in {_ORGANISATIONS}", "organisation_id"),
    "tax_rate": (f"organisation_id in {_ORGANISATIONS}", "organisation_id, valid_from"),
    # Without those of its partners, whose resale prices are their own.
    "price_book": ("seller_id = %(id)s", "seq"),
    "price_version": ("book_id in (select id from price_book where seller_id = %(id)s)", "book_id, number"),
    "price_assignment": ("seller_id = %(id)s", "id"),
    # What it has sold and bought; not what its partners sell.
    "statement": (_STATEMENTS, "seq"),
    "statement_line": (f"statement_id in (select id from statement where {_STATEMENTS})", "statement_id, no"),
    "adjustment": (_SOLD_OR_BOUGHT, "seq"),
    "audit_entry": (f"organisation_id in {_ORGANISATIONS}", "id"),
    "audit_entry_client": (
        f"""entry_id in (select id from audit_entry where organisation_id in {_ORGANISATIONS}
            and (actor_organisation_id is null or actor_organisation_id in {_ORGANISATIONS}))""",
        "entry_id",
    ),
}
"""What an organisation gets a copy of: the condition of each table's rows, and their order."""

MEMBER_TABLES: dict[LiteralString, tuple[LiteralString, LiteralString]] = {
    "member": ("id = %(id)s", "id"),
    "session": ("member_id = %(id)s", "created_at"),
    "notification_preference": ("member_id = %(id)s", "kind"),
    "notification_mail": ("member_id = %(id)s", "delivery"),
    "inbox_reading": ("member_id = %(id)s", "member_id"),
    "known_device": ("member_id = %(id)s", "expires_at"),
    "sign_in_throttle": ("member_id = %(id)s", "id"),
    "sign_in_failures": ("member_id = %(id)s", "hour"),
    "audit_entry": ("actor_id = %(id)s or subject_id = %(id)s::text", "id"),
    "audit_entry_client": ("entry_id in (select id from audit_entry where actor_id = %(id)s)", "entry_id"),
}
"""The same for a member."""

SECRETS = ("password_hash", "digest", "subject")
"""Columns that are left out of every table."""


def organisation_copy(conn: Connection, organisation_id: UUID) -> Iterator[tuple[str, AsyncGenerator[str]]]:
    """The name and the rows of each table of ORGANISATION_TABLES, to be read in this order: an organisation, open or
    closed, and its partners.

    Each row is a JSON object with the names of the columns. For the connection see `db.streamed`.
    """
    for table, (condition, order) in ORGANISATION_TABLES.items():
        yield table, _rows(conn, table, condition, order, organisation_id)


def member_copy(conn: Connection, member_id: UUID) -> Iterator[tuple[str, AsyncGenerator[str]]]:
    """The same for a member, of MEMBER_TABLES."""
    for table, (condition, order) in MEMBER_TABLES.items():
        yield table, _rows(conn, table, condition, order, member_id)


async def _rows(
    conn: Connection, table: LiteralString, condition: LiteralString, order: LiteralString, subject_id: UUID
) -> AsyncGenerator[str]:
    rows = streamed(
        conn,
        f"select (to_jsonb(t) - %(secrets)s::text[])::text from {table} t where {condition} order by {order}",
        {"id": subject_id, "secrets": list(SECRETS)},
    )
    async with aclosing(rows):
        async for (row,) in rows:
            yield row


async def record_member_copy(conn: Connection, organisation_id: UUID, member_id: UUID, stamp: str) -> None:
    """Writes the audit entry of a copy."""
    await conn.execute(
        "select audit(%(stamp)s, %(organisation)s, 'member.export', %(member)s, null, null)",
        {"stamp": stamp, "organisation": organisation_id, "member": str(member_id)},
    )


async def record_organisation_copy(conn: Connection, organisation_id: UUID, stamp: str) -> bool:
    """The same; False if there is no such organisation."""
    cursor = await conn.execute(
        "select audit(%(stamp)s, id, 'organisation.export', id::text, null, null) from organisation where id = %(id)s",
        {"stamp": stamp, "id": organisation_id},
    )
    return await cursor.fetchone() is not None


_ERASE: LiteralString = """
    with closed as (
        select id, id = %(id)s as is_asked from organisation
        where %(id)s in (id, parent_id) and closed_at is not null for update
    ), o as (
        update organisation o set name = %(name)s, name_key = %(name_key)s,
            lock_reason = case when o.lock_reason is not null then %(name)s end
        from closed where o.id = closed.id returning o.id, closed.is_asked
    ), k as (
        update contract set details = null, name_key = null where distributor_id in (select id from closed)
    ), p as (
        update partner set details = null, revision = revision + 1,
            suspension_reason = case when suspension_reason is not null then %(name)s end
        where id in (select id from closed)
    ), v as (
        update capacity_override set reason = %(name)s where partner_id in (select id from closed)
            or account_id in (select id from storage_account where partner_id in (select id from closed))
    ), s as (
        update storage_account set name = %(name)s, name_key = %(name_key)s, revision = revision + 1,
            suspension_reason = case when suspension_reason is not null then %(name)s end
        where partner_id in (select id from closed) and purged_at is not null returning id
    ), a as (
        update access_key set description = null where account_id in (select id from s)
    ), i as (
        update api_key set description = %(name)s, name_key = %(name_key)s
        where organisation_id in (select id from closed)
    ), b as (
        delete from billing_profile
        where organisation_id in (select id from closed) or keeper_id in (select id from closed)
    ), d as (
        update seller_settings set footer = '', logo = null, revision = revision + 1
        where organisation_id in (select id from closed)
    ), r as (
        delete from idempotency_key where organisation_id in (select id from closed)
    )
    select audit(%(stamp)s, o.id, 'organisation.erase', o.id::text, null, null) from o where o.is_asked"""


async def erase(conn: Connection, organisation_id: UUID, name: str, stamp: str) -> bool:
    """Replaces the names of a closed organisation, of its closed partners and of all that they had by `name`, and the
    reasons of locks and suspensions too; deletes the other texts about them and their billing profiles. False if there
    is no such organisation, or if it is open.

    What is numbered or counted stays: terms and usage are accounts. The members were deleted when it was closed, and
    contact addresses when the storage accounts were purged. Closed organisations do not change any more, so nothing can
    happen between the parts of the statement.
    """
    cursor = await conn.execute(
        _ERASE, {"id": organisation_id, "name": name, "name_key": name_key(name), "stamp": stamp}
    )
    return await cursor.fetchone() is not None


async def is_open(conn: Connection, organisation_id: UUID) -> bool | None:
    """Whether it is open; None if there is no such organisation."""
    cursor = await conn.execute("select closed_at is null from organisation where id = %s", [organisation_id])
    row = await cursor.fetchone()
    return row[0] if row else None
