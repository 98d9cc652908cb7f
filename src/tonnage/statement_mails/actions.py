"""Mails statements to their buyers, each once.

A mail is sent in the transaction that notes it, so that of many workers one sends it. If the power fails between the
two, it is sent again with the same Message-ID, by which mail servers know it.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from uuid import UUID

from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.queries import buyer_profiles, seller_profile
from tonnage.db import Connection
from tonnage.documents.paper import Paper
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Conflict, Unavailable
from tonnage.mail import Attachment, LogOutbox, Mailer, Message
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
_PATIENCE = 45.0
"""Seconds for one mail: less than a transaction may be idle."""
_AT_ONCE = 50


async def send_due(services: Services) -> None:
    """Sends what is to be sent. Without a mail server nothing is, and it remains to be sent, except in a sandbox, whose
    mails go to the log. Unavailable: the mail server does not accept mail at the moment. A mail that cannot be made
    does not keep the others from being sent; raises the error of the last one."""
    now = await services.business_now()
    if isinstance(services.mailer.outbox, LogOutbox) and services.sandbox_time is None:
        return
    database, ends, failed = services.database, monotonic() + _LONGEST_RUN, None
    sent = True
    while sent and monotonic() < ends and (ids := await database.run(queries.due, now, _AT_ONCE)):
        sent = False  # where other workers have them all
        for statement_id in ids:
            try:
                pdf = await pdf_of(database, None, statement_id, now)
                sent |= await database.transaction(_send, services.mailer, statement_id, pdf, now)
            except (LookupError, ValueError, RuntimeError) as error:
                _log.exception("the statement %s was not mailed", statement_id)
                await database.run(queries.store, statement_id, now, Refusal.FAILED)
                failed = error
    if failed is not None:
        raise failed


async def _send(conn: Connection, mailer: Mailer, statement_id: UUID, pdf: bytes, now: datetime) -> bool:
    if not await queries.hold(conn, statement_id, now):
        return False
    statement = await find_frozen(conn, None, statement_id)
    addressed = await _addressed(conn, statement)
    refusal: Refusal | None = Refusal.NO_ADDRESS
    if addressed is not None:
        message = written(statement, await design_of(conn, statement_id), addressed, pdf, mailer.origin)
        refusal = await _sent(mailer, message)
    await queries.store(conn, statement_id, now, refusal)
    return True


async def _sent(mailer: Mailer, message: Message) -> Refusal | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await mailer.outbox.send(message)
    except Conflict:
        return Refusal.REJECTED
    except TimeoutError as error:
        raise Unavailable(
            f"The mail server did not accept a mail within {_PATIENCE:.0f} s.", UnavailableCode.MAIL_UNAVAILABLE
        ) from error
    return None


@dataclass(frozen=True)
class Addressed:
    """Whom a statement is mailed to, and whom a reply reaches."""

    to: str
    reply_to: str | None


async def _addressed(conn: Connection, statement: StoredStatement) -> Addressed | None:
    """By the billing profiles as they are now: addresses of persons are not copied into statements."""
    seller = await seller_profile(conn, statement.seller_id)
    profile = await _buyer_profile(conn, statement)
    if profile is None or not profile.contact_email:
        return None
    return Addressed(profile.contact_email, seller.contact_email or None if seller else None)


async def _buyer_profile(conn: Connection, statement: StoredStatement) -> BillingProfile | None:
    buyer = statement.buyer
    if isinstance(buyer.id, int):
        found = await buyer_profiles(conn, statement.seller_id, accounts=[buyer.id])
        key: UUID | int = buyer.id
    else:
        is_contract = buyer.kind is SubjectKind.CONTRACT
        key = await queries.organisation_of(conn, buyer.id) if is_contract else buyer.id
        found = await buyer_profiles(conn, statement.seller_id, organisations=[key])
    return found[key].profile if key in found else None


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
