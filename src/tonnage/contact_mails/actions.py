"""Mails contacts of storage accounts that a level is reached: what is so when the mail is sent.

A mail is sent in the transaction that notes it. If the power fails between the two, it is sent again with the same
Message-ID.
"""

import logging
from datetime import datetime, timedelta
from time import monotonic

from tonnage.access.actor import Actor, Kind, Role
from tonnage.contact_mails import queries
from tonnage.contact_mails.contact_mail_actions import MailKeys, written
from tonnage.contact_mails.stop_link import StopLink
from tonnage.db import Connection
from tonnage.errors import Conflict
from tonnage.events.queries import subjects_of
from tonnage.mail import Deferred
from tonnage.sealing import read_keys
from tonnage.services import Services

_log = logging.getLogger(__name__)

_TYPES = ("account.alert", "account.over_allocation")
_AT_ONCE = 100
_LONGEST_RUN = 50.0
"""Seconds after which the next run of the job goes on."""
_SOON, _LATER = timedelta(minutes=30), timedelta(days=1)
"""After which time a mail is tried again: where the mail server asks for that, and where it could not be made."""


async def notify(services: Services) -> None:
    """Notes which contacts are to be mailed about new alerts, and sends what is due. Without a mail server nothing is
    sent, and it remains to be sent. Unavailable: the mail server accepts no mail at the moment. A mail that cannot be
    made does not keep the others from being sent; raises the error of the last one."""
    now = services.wall_clock()
    await services.database.transaction(queue_mails, now)
    if services.mailer.outbox.delivers:
        await send_due(services, now)


async def queue_mails(conn: Connection, now: datetime) -> int:
    """Looks at the alerts since the last time. Returns how many mails they make."""
    after, until = await queries.hold_progress(conn)
    if until <= after:
        return 0
    accounts = [int(one) for one in await subjects_of(conn, _TYPES, after, until)]
    queued = await queries.queue_mails(conn, accounts, now) if accounts else 0
    await queries.move_progress(conn, until)
    return queued


async def send_due(services: Services, now: datetime) -> None:
    """Sends the mails that are due, each in a transaction of its own."""
    keys = None if services.key_file is None else read_keys(services.key_file)
    links, ends = MailKeys(services.mailer.origin, keys), monotonic() + _LONGEST_RUN
    database, is_done, failed = services.database, True, None
    while is_done and monotonic() < ends and (due := await database.run(queries.due_mails, now, _AT_ONCE)):
        is_done = False  # where other workers have them all
        for account_id in due:
            try:
                is_done |= await database.transaction(_send, services, links, account_id, now)
            except (LookupError, ValueError, RuntimeError) as error:
                _log.exception("the contact of the storage account %s was not mailed", account_id)
                await database.run(queries.postpone_mail, account_id, now + _LATER)
                is_done, failed = True, error
    if failed is not None:
        raise failed


async def _send(conn: Connection, services: Services, links: MailKeys, account_id: int, now: datetime) -> bool:
    """False: others send it."""
    mail = await queries.hold_mail(conn, account_id, now, services.business_clock())
    if mail is None:
        return False
    if not mail.is_news:
        await queries.store_mailed(conn, account_id, None, None)
        return True
    try:
        await services.mailer.outbox.send(await written(conn, mail, links))
    except Conflict as error:
        _log.warning("the contact of a storage account cannot be mailed: %s", error)
    except Deferred:
        await queries.postpone_mail(conn, account_id, now + _SOON)
        return True
    await queries.store_mailed(conn, account_id, now, mail.alert)
    return True


async def stop_mails(conn: Connection, link: StopLink, now: datetime, stamp: str) -> None:
    """Stops them for the address that a link was sent to, of which it has to be signed. Where the account has another
    address since, that one has not asked for it. In the caller's transaction."""
    email_key = await queries.email_key_of(conn, link.account_id)
    if email_key is not None and link.is_of(email_key):
        await queries.stop_mails(conn, link.account_id, email_key, now, stamp)


async def set_contact_mails(conn: Connection, actor: Actor, *, enabled: bool) -> None:
    """Whether the actor's organisation, a partner, mails the contacts of its storage accounts. In the caller's
    transaction. Who has stopped these mails gets none in either case."""
    actor.require(Kind.PARTNER, Role.ADMIN)
    await queries.set_enabled(conn, actor.organisation_id, enabled, actor.stamp)
