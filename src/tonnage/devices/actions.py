"""Devices become known: by a sign-in, by a link from a mail, by a link that the operator passes on."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role, member_stamp
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.devices import queries
from tonnage.devices.device import BAD_LINK, LINK_PAUSE, LINK_VALID_FOR, OPEN_LINK
from tonnage.errors import NotFound
from tonnage.mail import Mailer, Message
from tonnage.members.actions import find_member
from tonnage.tokens import new_token


class Remembered(NamedTuple):
    """A device that is known from now on."""

    token: str
    """For its cookie."""
    is_new: bool


async def remember(conn: Connection, member_id: UUID, before: str, now: datetime) -> Remembered:
    """Makes a device known, in which the member has proved who it is. The token `before`, if the device had one of this
    member, becomes invalid.
    """
    token = new_token()
    is_new = not (before and await queries.replace_token(conn, member_id, before, token, now))
    if is_new:
        await queries.insert_device(conn, member_id, token, now)
    return Remembered(token, is_new)


async def send_link(database: Database, mailer: Mailer, member_id: UUID, clock: WallClock) -> None:
    """Makes a link and mails it; at most one per member in five minutes. It is made here, so that it is never in the
    job queue.
    """
    token, now = new_token(), clock()
    email = await database.run(queries.insert_link, member_id, token, now, LINK_VALID_FOR, LINK_PAUSE)
    if email is None:
        return
    try:
        await mailer.outbox.send(_mail(email, mailer.origin, token))
    except BaseException:
        # The job is retried, and must not find that a mail was sent just now.
        await database.run(queries.delete_link, token)
        raise


async def make_link(conn: Connection, actor: Actor, email: str, now: datetime) -> str:
    """For the operator, who passes it on: returns the link's path. NotFound: no member who could sign in has that
    address.
    """
    actor.require(Kind.OPERATOR, Role.ADMIN)
    token, (_, member_id) = new_token(), await find_member(conn, email)
    async with conn.transaction():
        if await queries.insert_link(conn, member_id, token, now, LINK_VALID_FOR, timedelta()) is None:
            raise NotFound("There is no member with the e-mail address {email}.", email=email)
        await queries.audit_link(conn, member_id, actor.stamp)
    return f"{OPEN_LINK}/{token}"


async def use_link(conn: Connection, token: str, before: str, now: datetime) -> str:
    """Runs in the caller's transaction. Uses the link up; returns the token for the cookie of the device, which is
    known from now on. NotFound: an invalid link.
    """
    member_id = await queries.consume_link(conn, token, now, member_stamp())
    if member_id is None:
        raise NotFound(BAD_LINK)
    return (await remember(conn, member_id, before, now)).token


def _mail(email: str, origin: str, token: str) -> Message:
    return Message(
        email,
        "Sign in on this device",
        "Somebody, probably you, wants to sign in with this e-mail address. There were many failed attempts from other "
        "places, so the password alone is not enough at the moment.\n\n"
        "Open this link within 15 minutes, in the browser where you want to sign in, and then enter your password:\n\n"
        f"{origin}{OPEN_LINK}/{token}\n\n"
        "The link works once. Do not pass it on. If you did not request it, ignore this e-mail.\n",
    )
