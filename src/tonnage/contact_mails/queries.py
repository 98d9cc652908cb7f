"""SQL of mails to the contacts of storage accounts. Lock order: account, mail."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from tonnage.contact_mails.contact_mail import APART, ContactMail
from tonnage.db import Connection, one_row


async def hold_progress(conn: Connection) -> tuple[int, int]:
    """The position through which events were looked at, and the one through which they are there. Nobody else looks at
    them until the transaction ends."""
    cursor = await conn.execute(
        "select c.position, (select position from event_progress) from contact_mail_progress c for update"
    )
    return await one_row(cursor)


async def queue_mails(conn: Connection, account_ids: Sequence[int], now: datetime) -> int:
    """Notes a mail for each of these accounts, at the earliest an hour after the last one to its address. Returns for
    how many. Those that have stopped them, or whose partner mails nobody, get none."""
    cursor = await conn.execute(
        """
        with s as (
            select s.id, s.contact_email_key from storage_account s
            where s.id = any(%(ids)s) and s.purged_at is null and not exists (
                select from contact_mail_setting c where c.organisation_id = s.partner_id and not c.enabled)
            order by s.id for share of s
        ), queued as (
            insert into contact_mail as m (account_id, email_key, due_at)
            select id, contact_email_key, %(now)s from s order by id
            on conflict (account_id) do update set
                due_at = case when m.email_key <> excluded.email_key then excluded.due_at
                    else coalesce(m.due_at, greatest(excluded.due_at, m.mailed_at + %(apart)s)) end,
                mailed_at = case when m.email_key = excluded.email_key then m.mailed_at end,
                mailed_alert = case when m.email_key = excluded.email_key then m.mailed_alert end,
                unsubscribed_at = null, email_key = excluded.email_key
            where m.email_key <> excluded.email_key or m.unsubscribed_at is null
            returning account_id
        )
        select count(*) from queued
        """,
        {"ids": list(account_ids), "now": now, "apart": APART},
    )
    return (await one_row(cursor))[0]


async def move_progress(conn: Connection, position: int) -> None:
    """Events through this position were looked at."""
    await conn.execute("update contact_mail_progress set position = %s", [position])


async def due_mails(conn: Connection, now: datetime, most: int) -> list[int]:
    """The accounts of the first mails that are to be sent now."""
    cursor = await conn.execute(
        "select account_id from contact_mail where due_at <= %s order by due_at, account_id limit %s", [now, most]
    )
    return [account_id for (account_id,) in await cursor.fetchall()]


_HELD: LiteralString = """
    select s.id, s.contact_email, s.contact_email_key, s.name, o.id, o.name, u.used,
        effective_capacity(s.allocated_capacity,
            case when s.override_until > %(business_now)s then s.override_capacity end),
        s.allow_overdraft, a.seq, a.level, a.crossed_at, m.mailed_alert,
        m.email_key = s.contact_email_key
        and num_nonnulls(s.suspended_at, s.pending_deleted_at, p.suspended_at, o.locked_at, o.closed_at) = 0
        and not exists (select from contact_mail_setting c where c.organisation_id = o.id and not c.enabled)
    from contact_mail m join storage_account s on s.id = m.account_id and s.purged_at is null
    join account_usage u on u.account_id = s.id
    join partner p on p.id = s.partner_id join organisation o on o.id = p.id
    left join lateral (
        select seq, level, crossed_at from alert
        where account_id = s.id and not of_cap order by level desc limit 1) a on true
    where m.account_id = %(id)s and m.due_at <= %(now)s for update of m skip locked"""


async def hold_mail(conn: Connection, account_id: int, now: datetime, business_now: datetime) -> ContactMail | None:
    """The mail, if it is still to be sent: nobody else sends it until the transaction ends, which may be idle while the
    mail server answers."""
    await conn.execute("set local idle_in_transaction_session_timeout to '2min'")
    cursor = await conn.execute(_HELD, {"id": account_id, "now": now, "business_now": business_now})
    row = await cursor.fetchone()
    return ContactMail(*row) if row else None


async def store_mailed(conn: Connection, account_id: int, mailed_at: datetime | None, alert: int | None) -> None:
    """That a mail was sent, and about which alert; None: there was nothing to send."""
    await conn.execute(
        """
        update contact_mail set due_at = null, mailed_at = coalesce(%s, mailed_at),
            mailed_alert = coalesce(%s, mailed_alert)
        where account_id = %s
        """,
        [mailed_at, alert, account_id],
    )


async def postpone_mail(conn: Connection, account_id: int, due_at: datetime) -> None:
    """That a mail is tried again."""
    await conn.execute("update contact_mail set due_at = %s where account_id = %s", [due_at, account_id])


async def email_key_of(conn: Connection, account_id: int) -> str | None:
    """The present address of an account's contact, case-folded. None: there is no such account, or it is purged."""
    cursor = await conn.execute("select contact_email_key from storage_account where id = %s", [account_id])
    row = await cursor.fetchone()
    return row[0] if row else None


async def stop_mails(conn: Connection, account_id: int, email_key: str, now: datetime, stamp: str) -> None:
    """That a contact wants no more of them, with an audit entry of the partner unless it has said so before."""
    cursor = await conn.execute(
        """
        with s as (
            select id, partner_id, contact_email_key from storage_account
            where id = %(id)s and contact_email_key = %(key)s for share
        ), stopped as (
            insert into contact_mail as m (account_id, email_key, unsubscribed_at)
            select id, contact_email_key, %(now)s from s
            on conflict (account_id) do update set email_key = excluded.email_key,
                unsubscribed_at = excluded.unsubscribed_at, due_at = null, mailed_at = null, mailed_alert = null
            where m.email_key <> excluded.email_key or m.unsubscribed_at is null
            returning account_id
        )
        select audit(%(stamp)s, s.partner_id, 'account.stop-contact-mails', s.id::text, null, null) from s, stopped
        """,
        {"id": account_id, "key": email_key, "now": now, "stamp": stamp},
    )
    await cursor.fetchone()


async def is_enabled(conn: Connection, partner_id: UUID) -> bool:
    """Whether a partner mails the contacts of its storage accounts."""
    cursor = await conn.execute("select enabled from contact_mail_setting where organisation_id = %s", [partner_id])
    row = await cursor.fetchone()
    return row is None or row[0]


async def set_enabled(conn: Connection, partner_id: UUID, enabled: bool, stamp: str) -> None:
    """Sets that. An audit entry if it changes anything."""
    cursor = await conn.execute(
        """
        with old as (
            select coalesce((select enabled from contact_mail_setting where organisation_id = o.id), true) as enabled
            from organisation o where o.id = %(partner)s
        ), new as (
            insert into contact_mail_setting as c (organisation_id, enabled)
            select %(partner)s, %(enabled)s from old where old.enabled <> %(enabled)s
            on conflict (organisation_id) do update set enabled = excluded.enabled
            where c.enabled <> excluded.enabled returning c.organisation_id
        )
        select save_response(%(stamp)s, null), (select audit(%(stamp)s, n.organisation_id,
            'organisation.set-contact-mails', n.organisation_id::text,
            jsonb_build_object('enabled', not %(enabled)s), jsonb_build_object('enabled', %(enabled)s)) from new n)
        """,
        {"partner": partner_id, "enabled": enabled, "stamp": stamp},
    )
    await cursor.fetchone()
