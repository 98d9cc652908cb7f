"""Password reset: a link by mail, valid for one hour and for one use."""

from datetime import datetime, timedelta
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.authentication import mails, reset_queries, throttling, throttling_queries
from tonnage.authentication.credential_actions import replace_password
from tonnage.authentication.reset_queries import Reset
from tonnage.authentication.session import ClientInfo
from tonnage.authentication.sign_in_queries import credentials_by_email
from tonnage.authentication.throttling import AddressFailures
from tonnage.authentication.throttling_actions import count_attempts
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.devices.actions import remember
from tonnage.errors import NotFound, Sentence
from tonnage.jobs import defer
from tonnage.mail import Mailer
from tonnage.security_events.actions import record_attempt
from tonnage.security_events.counted_event import Counted
from tonnage.tokens import digest, new_token

VALID_FOR = timedelta(hours=1)
_PAUSE = timedelta(minutes=5)
_NOTIFY_INTERVAL = timedelta(hours=1)

BAD_LINK = Sentence(
    "This link no longer works: it was used, replaced by a newer one, or is more than an hour old. Request a new one."
)


async def request_reset(conn: Connection, email: str, client: ClientInfo, now: datetime) -> None:
    """Enqueues the mail with the link, if there is such a member. The caller cannot find out: the same work is done in
    any case.

    Throttled: this client sends too many requests.
    """
    await defer(
        conn, "authentication.send_reset", await _recipient(conn, Counted.REQUESTED_PASSWORD, email, client, now)
    )


async def request_link(conn: Connection, email: str, client: ClientInfo, now: datetime) -> None:
    """The same for the link that makes a device known."""
    await defer(conn, "devices.send_link", await _recipient(conn, Counted.REQUESTED_LINK, email, client, now))


async def _recipient(conn: Connection, action: Counted, email: str, client: ClientInfo, now: datetime) -> UUID:
    """The member with that address, or an id that nobody has. Counts the request."""
    await count_attempts(conn, throttling.resets_of(client.address), now)
    login = await credentials_by_email(conn, email)
    member_id = login.member_id if login else throttling.nobody(email)
    await record_attempt(conn, action, member_id, now)
    return member_id


async def send_reset(database: Database, mailer: Mailer, member_id: UUID, clock: WallClock) -> None:
    """Creates the token and mails it; at most one per member in five minutes. It is created here, so that it is never
    in the job queue.
    """
    token, now = new_token(), clock()
    email = await database.run(reset_queries.insert_reset, member_id, digest(token), now, VALID_FOR, _PAUSE)
    if email is None:
        return
    try:
        await mailer.outbox.send(mails.new_password(email, mailer.origin, token))
    except BaseException:
        # The job is retried, and must not find that a mail was sent just now.
        await database.run(reset_queries.delete_reset, digest(token))
        raise


async def notify_blocked(database: Database, mailer: Mailer, member_id: UUID, actor: Actor, clock: WallClock) -> None:
    """Mails the member about repeated failed attempts; at most once an hour, however many clients make them."""
    now = clock()
    email = await database.run(reset_queries.email_to_notify, member_id, now, _NOTIFY_INTERVAL)
    if email is not None:
        await mailer.outbox.send(mails.blocked(email, mailer.origin))
        await database.run(reset_queries.record_notification, member_id, now, actor.stamp)


async def notify_failures(database: Database, mailer: Mailer, member_id: UUID, actor: Actor, clock: WallClock) -> None:
    """Mails the member about failed attempts from many places; at most once an hour."""
    now = clock()
    email = await database.run(reset_queries.email_of, member_id)
    if email is None:
        return
    address = AddressFailures.of(email, now)
    failures = await database.run(throttling_queries.unwarned_failures, address)
    if failures is not None:
        await mailer.outbox.send(mails.many_failures(email, mailer.origin, failures))
        await database.run(throttling_queries.record_warning, address, member_id, failures, now, actor.stamp)


async def valid_reset(conn: Connection, token: str, now: datetime) -> Reset | None:
    """Returns what a valid token is for, to show the form. The token is not used up."""
    return await reset_queries.find_reset(conn, digest(token), now)


async def reset_password(conn: Connection, token: str, password_hash: str, client: ClientInfo, now: datetime) -> str:
    """Runs in the caller's transaction. Ends all sessions of the member; a second factor stays. Returns the token of
    the device, the only one that is known from now on. NotFound: an invalid token.

    The failures of this client at this address are reset. Its failures at other addresses, failures of other clients
    and wrong codes are not: access to the mailbox does not prove who caused those.
    """
    reset = await reset_queries.consume_reset(conn, digest(token), now)
    if reset is None:
        raise NotFound(BAD_LINK)
    await replace_password(conn, reset.actor, reset.member_id, password_hash, but=None)
    for subject in throttling.email_and_client(reset.email, client.address):
        if not subject.is_shared:
            await throttling_queries.reset_count(conn, subject)
    return (await remember(conn, reset.member_id, "", now)).token
