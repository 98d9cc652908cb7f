"""SQL of notifications: who is to be mailed about new events, and what was mailed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Kind, Role
from tonnage.db import Connection, one_row
from tonnage.events.event_feed import FeedEvent
from tonnage.notifications.notification import Notification
from tonnage.notifications.notification_kind import KINDS, Delivery


class Addressee(NamedTuple):
    """A member whom new events concern."""

    member_id: UUID
    time_zone: str | None
    delivery: Delivery
    after: int
    """The position before the first of these events."""
    mailed_at: datetime | None
    """When the last mail of this way of delivery was sent."""


class Recipient(NamedTuple):
    """A member who is mailed, and what since when."""

    member_id: UUID
    organisation_id: UUID
    kind: Kind
    organisation: str
    email: str
    locale: str | None
    time_zone: str | None
    delivery: Delivery
    after: int
    is_locked: bool
    """The member, or its organisation, cannot sign in any more, and is mailed nothing."""


async def hold_progress(conn: Connection) -> tuple[int, int]:
    """The position through which events were looked at, and the one through which they are there. Nobody else looks at
    them until the transaction ends."""
    cursor = await conn.execute(
        "select n.position, (select position from event_progress) from notification_progress n for update"
    )
    return await one_row(cursor)


async def move_progress(conn: Connection, position: int) -> None:
    """Events through this position were looked at."""
    await conn.execute("update notification_progress set position = %s", [position])


_PREFERENCE = """coalesce(
    (select p.delivery from notification_preference p where p.member_id = m.id and p.kind = d.kind),
    case when m.role = 'viewer' then 'none' else d.delivery end)"""


async def addressees(conn: Connection, after: int, until: int) -> list[Addressee]:
    """The members whom the events between two positions concern, by what they have chosen, each way of delivery once.

    Of the event's organisation and, unless only the own organisation counts, of its distributor and the operator.
    """
    cursor = await conn.execute(
        f"""
        with t as (
            select * from unnest(%(types)s::text[], %(type_kinds)s::text[], %(of_own)s::boolean[])
                as t (type, kind, of_own)
        ), e as materialized (
            select t.kind, t.of_own, e.organisation_id, e.parent_id, min(e.position) as first
            from event e join t on t.type = e.type
            where e.position > %(after)s and e.position <= %(until)s group by 1, 2, 3, 4
        ), o as (
            select organisation_id as reader, kind, first from e
            union all select parent_id, kind, first from e where parent_id is not null and not of_own
            union all select operator_id(), kind, first from e where not of_own and organisation_id <> operator_id()
        ), d as (
            select * from unnest(%(kinds)s::text[], %(of)s::text[], %(deliveries)s::text[]) as d (kind, of, delivery)
        ), m as (
            select m.id, m.time_zone, {_PREFERENCE} as delivery, min(o.first) as first
            from o join organisation g on g.id = o.reader and g.closed_at is null
            join d on d.kind = o.kind and d.of = g.kind
            join member m on m.organisation_id = g.id and m.locked_at is null and m.withheld_at is null
            group by m.id, m.time_zone, 3
        )
        select m.id, m.time_zone, m.delivery, m.first - 1, n.mailed_at
        from m left join notification_mail n on n.member_id = m.id and n.delivery = m.delivery
        where m.delivery <> 'none' order by m.id, m.delivery
        """,
        {**_kinds(), "after": after, "until": until},
    )
    return [Addressee(row[0], row[1], Delivery(row[2]), *row[3:]) for row in await cursor.fetchall()]


def _kinds() -> dict[str, object]:
    types = [(type_, kind.name, kind.of_own) for kind in KINDS for type_ in kind.types]
    defaults = [(kind.name, of, delivery) for kind in KINDS for of, delivery in kind.defaults.items()]
    return {
        "types": [one[0] for one in types],
        "type_kinds": [one[1] for one in types],
        "of_own": [one[2] for one in types],
        "kinds": [one[0] for one in defaults],
        "of": [str(one[1]) for one in defaults],
        "deliveries": [str(one[2]) for one in defaults],
    }


async def queue_mails(conn: Connection, due: Sequence[tuple[Addressee, datetime]]) -> None:
    """Notes mails that are to be sent at a time. One that is noted already stays, and has the new events too. What the
    last mail had already, because it was sent after these events had appeared, is not sent again."""
    await conn.execute(
        """
        insert into notification_mail as n (member_id, delivery, after_position, due_at)
        select * from unnest(%(members)s::uuid[], %(deliveries)s::text[], %(after)s::bigint[], %(due)s::timestamptz[])
        on conflict (member_id, delivery) do update set
            after_position = case when n.due_at is null then greatest(n.after_position, excluded.after_position)
                else n.after_position end,
            due_at = coalesce(n.due_at, excluded.due_at)
        """,
        {
            "members": [one.member_id for one, _ in due],
            "deliveries": [str(one.delivery) for one, _ in due],
            "after": [one.after for one, _ in due],
            "due": [at for _, at in due],
        },
    )


async def due_mails(conn: Connection, now: datetime, most: int) -> list[tuple[UUID, str]]:
    """The first mails that are to be sent now: member and way of delivery."""
    cursor = await conn.execute(
        "select member_id, delivery from notification_mail where due_at <= %s order by due_at, member_id limit %s",
        [now, most],
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def hold_mail(conn: Connection, member_id: UUID, delivery: str, now: datetime) -> Recipient | None:
    """Whom a mail goes to, if it is still to be sent: nobody else sends it until the transaction ends, which may be
    idle while the mail server answers."""
    await conn.execute("set local idle_in_transaction_session_timeout to '2min'")
    cursor = await conn.execute(
        """
        select m.id, o.id, o.kind, o.name, m.email, m.locale, m.time_zone, n.delivery, n.after_position,
            num_nonnulls(m.locked_at, m.withheld_at, o.locked_at, o.closed_at) > 0
        from notification_mail n join member m on m.id = n.member_id join organisation o on o.id = m.organisation_id
        where n.member_id = %s and n.delivery = %s and n.due_at <= %s for update of n skip locked
        """,
        [member_id, delivery, now],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return Recipient(row[0], row[1], Kind(row[2]), row[3], row[4], row[5], row[6], Delivery(row[7]), *row[8:])


async def store_mailed(
    conn: Connection, recipient: Recipient, mailed_at: datetime | None, through: int, due_at: datetime | None
) -> None:
    """That a mail was sent with all events through a position; None: there was nothing to send. `due_at`: when the next
    one is sent, whether or not something happens until then."""
    await conn.execute(
        """
        update notification_mail set due_at = %s, mailed_at = coalesce(%s, mailed_at), after_position = %s
        where member_id = %s and delivery = %s
        """,
        [due_at, mailed_at, through, recipient.member_id, recipient.delivery],
    )


async def postpone_mail(conn: Connection, recipient: Recipient, due_at: datetime) -> None:
    """That a mail is tried again."""
    await conn.execute(
        "update notification_mail set due_at = %s where member_id = %s and delivery = %s",
        [due_at, recipient.member_id, recipient.delivery],
    )


class Preference(NamedTuple):
    """How a member is notified of events of a kind."""

    kind: str
    delivery: Delivery


async def preferences(conn: Connection, member_id: UUID) -> list[Preference]:
    """What counts for a member, in the order of the kinds: what it has chosen, else the default of its organisation."""
    cursor = await conn.execute(
        """
        select o.kind, m.role, p.kind, p.delivery from member m join organisation o on o.id = m.organisation_id
        left join notification_preference p on p.member_id = m.id where m.id = %s
        """,
        [member_id],
    )
    rows = await cursor.fetchall()
    chosen = {row[2]: Delivery(row[3]) for row in rows if row[2] is not None}
    found: list[Preference] = []
    for one in KINDS:
        default = one.defaults.get(Kind(rows[0][0])) if rows else None
        if default is not None:
            unless_chosen = Delivery.NONE if rows[0][1] == Role.VIEWER else default
            found.append(Preference(one.name, chosen.get(one.name, unless_chosen)))
    return found


async def hold_member(conn: Connection, member_id: UUID) -> None:
    """Nobody else changes the member until the transaction ends."""
    await conn.execute("select from member where id = %s for no key update", [member_id])


async def set_preferences(conn: Connection, member_id: UUID, chosen: Mapping[str, Delivery], stamp: str) -> None:
    """Stores what a member has chosen, with an audit entry if that differs from what it had chosen before."""
    cursor = await conn.execute(
        """
        with new as (
            select * from unnest(%(kinds)s::text[], %(deliveries)s::text[]) as n (kind, delivery)
        ), changed as (
            insert into notification_preference as p (member_id, kind, delivery)
            select %(member)s, kind, delivery from new order by kind
            on conflict (member_id, kind) do update set delivery = excluded.delivery
            where p.delivery <> excluded.delivery
            returning p.kind, p.delivery
        )
        select audit(%(stamp)s, m.organisation_id, 'member.choose-notifications', m.id::text, null, c.facts)
        from member m, (select jsonb_object_agg(kind, delivery) as facts from changed) c
        where m.id = %(member)s and c.facts is not null
        """,
        {
            "kinds": list(chosen),
            "deliveries": [str(delivery) for delivery in chosen.values()],
            "member": member_id,
            "stamp": stamp,
        },
    )
    await cursor.fetchone()


async def notifications_about(conn: Connection, events: Sequence[FeedEvent]) -> list[Notification]:
    """A notification of each event, with the present names of what it is about."""
    names: dict[str, str] = {}
    found = [Notification(event, names) for event in events]
    names |= await _names(conn, sorted({str(one.data["subjectId"]) for one in found}))
    return found


async def _names(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Of storage accounts, organisations, contracts and API keys, by id. The ids are those of events that the reader
    may see."""
    accounts = [int(one) for one in ids if one.isdecimal()]
    others = [one for one in ids if len(one) == len("00000000-0000-0000-0000-000000000000")]
    cursor = await conn.execute(
        """
        select id::text, name from storage_account where id = any(%(accounts)s) and purged_at is null
        union all select id::text, name from organisation where id = any(%(others)s::uuid[])
        union all select id::text, coalesce(details, left(id::text, 8)) from contract where id = any(%(others)s::uuid[])
        union all select id::text, description || ' (' || prefix || '…)' from api_key where id = any(%(others)s::uuid[])
        """,
        {"accounts": accounts, "others": others},
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def due_mail_count(conn: Connection, now: datetime) -> int:
    """How many mails are to be sent now."""
    return (await one_row(await conn.execute("select count(*) from notification_mail where due_at <= %s", [now])))[0]
