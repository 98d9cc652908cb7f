"""Mails members what has happened: one mail for many events.

A mail is sent in the transaction that notes it. If the power fails between the two, it is sent again with the same
Message-ID.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.attention.attention import AttentionReader
from tonnage.authentication.session import SESSION_ENDED
from tonnage.db import Connection
from tonnage.error_codes import RequestCode
from tonnage.errors import Conflict, EditConflict, Invalid, Unauthenticated
from tonnage.events.event_feed import FeedReader
from tonnage.events.queries import events_after, last_position
from tonnage.mail import Deferred
from tonnage.notifications import queries
from tonnage.notifications.coming import Coming
from tonnage.notifications.coming_queries import coming_for
from tonnage.notifications.notification import Notification
from tonnage.notifications.notification_actions import MOST_COUNTED, MailLinks, written
from tonnage.notifications.notification_kind import KINDS, Delivery, NotificationKind, due_at
from tonnage.notifications.queries import Preference, Recipient
from tonnage.sealing import read_keys
from tonnage.services import Services

_log = logging.getLogger(__name__)

_AT_ONCE = 100
_LONGEST_RUN = 50.0
"""Seconds after which the next run of the job goes on."""
_SOON, _LATER = timedelta(minutes=30), timedelta(days=1)
"""After which time a mail is tried again: where the mail server asks for that, and where it could not be made."""


async def notify(services: Services) -> None:
    """Notes who is to be mailed about new events, and sends what is due. Without a mail server nothing is sent, and it
    remains to be sent. Unavailable: the mail server accepts no mail at the moment. A mail that cannot be made does not
    keep the others from being sent; raises the error of the last one."""
    now = services.wall_clock()
    await services.database.transaction(queue_mails, now)
    if services.mailer.outbox.delivers:
        await send_due(services, now)


async def queue_mails(conn: Connection, now: datetime) -> int:
    """Looks at the events since the last time. Returns how many mails they concern."""
    after, until = await queries.hold_progress(conn)
    if until <= after:
        return 0
    found = await queries.addressees(conn, after, until)
    due = [(one, due_at(one.delivery, now, one.time_zone, one.mailed_at)) for one in found]
    if due:
        await queries.queue_mails(conn, due)
    await queries.move_progress(conn, until)
    return len(due)


async def send_due(services: Services, now: datetime) -> None:
    """Sends the mails that are due, each in a transaction of its own."""
    keys = None if services.key_file is None else read_keys(services.key_file)
    links, ends = MailLinks(services.mailer.origin, keys), monotonic() + _LONGEST_RUN
    database, is_done, failed = services.database, True, None
    while is_done and monotonic() < ends and (due := await database.run(queries.due_mails, now, _AT_ONCE)):
        is_done = False  # where other workers have them all
        for member_id, delivery in due:
            try:
                is_done |= await database.transaction(_send, services, links, member_id, delivery, now)
            except (LookupError, ValueError, RuntimeError) as error:
                _log.exception("the notifications of the member %s were not mailed", member_id)
                is_done |= await database.transaction(_postpone, member_id, delivery, now)
                failed = error
    if failed is not None:
        raise failed


async def _postpone(conn: Connection, member_id: UUID, delivery: str, now: datetime) -> bool:
    recipient = await queries.hold_mail(conn, member_id, delivery, now)
    if recipient is not None:
        await queries.postpone_mail(conn, recipient, now + _LATER)
    return recipient is not None


async def _send(
    conn: Connection, services: Services, links: MailLinks, member_id: UUID, delivery: str, now: datetime
) -> bool:
    """False: others send it."""
    recipient = await queries.hold_mail(conn, member_id, delivery, now)
    if recipient is None:
        return False
    # What appears from here on is in this mail or in the next one: `through` says in which.
    through = await last_position(conn)
    chosen = [] if recipient.is_locked else await queries.preferences(conn, recipient.member_id)
    notifications, coming = await _content(conn, services, recipient, chosen, now)
    # A weekly mail says what comes, whether or not something has happened: so it is due again.
    is_chosen = any(one.delivery is recipient.delivery for one in chosen)
    next_at = due_at(Delivery.WEEKLY, now, recipient.time_zone, None)
    due = next_at if recipient.delivery is Delivery.WEEKLY and is_chosen else None
    if not notifications and not coming:
        await queries.store_mailed(conn, recipient, None, through, due)
        return True
    if notifications:
        through = max(through, notifications[-1].event.position)
    try:
        await services.mailer.outbox.send(written(recipient, notifications, links, coming, now.date()))
    except Conflict as error:
        _log.warning("a notification cannot be mailed: %s", error)
    except Deferred:
        await queries.postpone_mail(conn, recipient, now + _SOON)
        return True
    await queries.store_mailed(conn, recipient, now, through, due)
    return True


async def _content(
    conn: Connection, services: Services, recipient: Recipient, chosen: Sequence[Preference], now: datetime
) -> tuple[list[Notification], list[Coming]]:
    """What the mail is about, by what the member has chosen now; of a weekly one also what comes, of all that the
    member is mailed about."""
    names = {one.kind for one in chosen if one.delivery is recipient.delivery}
    notifications = await _notifications(conn, recipient, [kind for kind in KINDS if kind.name in names])
    if recipient.delivery is not Delivery.WEEKLY or not names:
        return notifications, []
    reader = AttentionReader(recipient.organisation_id, recipient.kind, services.business_clock(), now)
    mailed = {one.kind for one in chosen if one.delivery is not Delivery.NONE}
    return notifications, await coming_for(conn, reader, mailed)


async def _notifications(
    conn: Connection, recipient: Recipient, kinds: Sequence[NotificationKind]
) -> list[Notification]:
    reader = FeedReader(recipient.organisation_id, recipient.kind)
    types = [type_ for kind in kinds for type_ in kind.types]
    if not types:
        return []
    own = [type_ for kind in kinds if kind.of_own for type_ in kind.types]
    events = await events_after(conn, reader, recipient.after, types, MOST_COUNTED + 1, own)
    return await queries.notifications_about(conn, events)


async def change_preferences(
    conn: Connection,
    actor: Actor,
    chosen: Mapping[str, Delivery],
    expected: Mapping[str, Delivery] | None = None,
) -> None:
    """Stores how a member wants to be notified of some kinds. In the caller's transaction.

    `expected`: what the member saw. EditConflict: one of them is neither that nor as it is to be. Invalid: a kind that
    its organisation does not have.
    """
    if actor.via_id is None:
        raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
    await queries.hold_member(conn, actor.via_id)
    present = {one.kind: one.delivery for one in await queries.preferences(conn, actor.via_id)}
    for kind, delivery in chosen.items():
        if kind not in present:
            raise Invalid.field(kind, "there are no such notifications for you")
        if expected is not None and present[kind] not in (expected[kind], delivery):
            raise EditConflict
    changed = {kind: delivery for kind, delivery in chosen.items() if present[kind] is not delivery}
    await queries.set_preferences(conn, actor.via_id, changed, actor.stamp)


async def unsubscribe(conn: Connection, member_id: UUID, delivery: Delivery, stamp: str) -> None:
    """Turns off what a member is mailed in one way, by the link of such a mail."""
    present = await queries.preferences(conn, member_id)
    stopped = {one.kind: Delivery.NONE for one in present if one.delivery is delivery}
    await queries.set_preferences(conn, member_id, stopped, stamp)
