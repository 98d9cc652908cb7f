"""Mails statements to their buyers, each once.

A mail is sent in the transaction that notes it, so that of many workers one sends it. If the power fails between the
two, it is sent again with the same Message-ID, by which mail servers know it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from tonnage.access.actor import system_stamp
from tonnage.billing_profiles.queries import seller_profile
from tonnage.db import Connection
from tonnage.documents.paper import Paper
from tonnage.errors import Conflict
from tonnage.mail import Attachment, Deferred, Mailer, Message
from tonnage.parties.queries import find_party
from tonnage.price_books.assignment import SubjectKind
from tonnage.services import Services
from tonnage.statement_mails import queries
from tonnage.statement_mails.queries import Refusal
from tonnage.statements.actions import find_frozen, pdf_of
from tonnage.statements.frozen import StoredStatement
from tonnage.statements.frozen_queries import design_of

_log = logging.getLogger(__name__)

_LONGEST_RUN = 50.0
"""Seconds after which the next run of the job goes on."""
_AT_ONCE = 50

_SOON, _RETRY, _GIVE_UP = timedelta(minutes=30), timedelta(days=1), timedelta(days=60)
"""After which time a mail is tried again: where the mail server asks for that, and where it had no address or was
refused; and after which it would surprise its reader."""


async def send_due(services: Services) -> None:
    """Sends what is to be sent. Without a mail server nothing is, and it remains to be sent, except in a sandbox, whose
    mails go to the log. Unavailable: the mail server accepts no mail at the moment. A mail that is not accepted, or
    cannot be made, does not keep the others from being sent; raises the error of the last one that could not be made.
    """
    now = await services.business_now()
    if not services.mailer.outbox.delivers and services.sandbox_time is None:
        return
    database, ends, failed = services.database, monotonic() + _LONGEST_RUN, None
    done = True
    while done and monotonic() < ends and (ids := await database.run(queries.due, now, _AT_ONCE)):
        done = False  # where other workers have them all
        for statement_id in ids:
            try:
                pdf = await pdf_of(database, None, statement_id, now)
                done |= await database.transaction(_send, services.mailer, statement_id, pdf, now)
            except (LookupError, ValueError, RuntimeError) as error:
                _log.exception("the statement %s was not mailed", statement_id)
                done |= await database.transaction(_postpone, statement_id, now)
                failed = error
    if failed is not None:
        raise failed


async def _send(conn: Connection, mailer: Mailer, statement_id: UUID, pdf: bytes, now: datetime) -> bool:
    """False: others send it."""
    queued_at = await queries.hold(conn, statement_id, now)
    if queued_at is None:
        return False
    statement = await find_frozen(conn, None, statement_id)
    addressed = await _addressed(conn, statement)
    if addressed is None:
        await _refused(conn, statement_id, queued_at, now, Refusal.NO_ADDRESS)
        return True
    message = written(statement, await design_of(conn, statement_id), addressed, pdf, mailer.origin)
    try:
        accepted = await mailer.outbox.send(message)
    except Conflict:
        accepted = False
    except Deferred:
        await queries.store_unsent(conn, statement_id, now + _SOON, None)
        return True
    if accepted:
        await queries.store_sent(conn, statement_id, now, system_stamp())
    else:
        await _refused(conn, statement_id, queued_at, now, Refusal.REJECTED)
    return True


async def _postpone(conn: Connection, statement_id: UUID, now: datetime) -> bool:
    """A mail that could not be made, unless another worker could."""
    queued_at = await queries.hold(conn, statement_id, now)
    if queued_at is not None:
        await _refused(conn, statement_id, queued_at, now, Refusal.FAILED)
    return queued_at is not None


async def _refused(conn: Connection, statement_id: UUID, queued_at: datetime, now: datetime, refusal: Refusal) -> None:
    due_at = now + _RETRY if now < queued_at + _GIVE_UP else None
    await queries.store_unsent(conn, statement_id, due_at, refusal)


@dataclass(frozen=True)
class Addressed:
    """Whom a statement is mailed to, and whom a reply reaches."""

    to: str
    reply_to: str | None


async def _addressed(conn: Connection, statement: StoredStatement) -> Addressed | None:
    """By the billing profiles as they are now: addresses of persons are not copied into statements."""
    seller = await seller_profile(conn, statement.seller_id)
    buyer = await find_party(conn, statement.seller_id, statement.buyer, statement.copied["buyerName"])
    if buyer.profile is None or not buyer.profile.contact_email:
        return None
    return Addressed(buyer.profile.contact_email, seller.contact_email or None if seller else None)


def written(
    statement: StoredStatement, design: dict[str, object], addressed: Addressed, pdf: bytes, origin: str
) -> Message:
    """The mail. Customers of a partner have no console to sign in to."""
    signs_in = statement.buyer.kind is not SubjectKind.ACCOUNT
    link = f"{origin}/statements/{statement.id}" if signs_in else None
    subject, text = Paper(statement.paper(design)).mail(link)
    attachment = Attachment(f"{_file_name(statement)}.pdf", pdf, "application/pdf")
    return Message(addressed.to, subject, text, [attachment], addressed.reply_to, f"statement.{statement.id}")


def _file_name(statement: StoredStatement) -> str:
    """The number, in which a file name has no path."""
    return "".join(one if one.isalnum() or one in "-_." else "-" for one in str(statement.number))
