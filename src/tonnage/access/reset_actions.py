"""The way back after a forgotten password: a link by mail, good for an hour and for one time."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tonnage.access import guessing, guessing_queries, mails, reset_queries
from tonnage.access.actor import Actor
from tonnage.access.guessing_actions import admit_try
from tonnage.access.member_actions import replace_password
from tonnage.access.reset_queries import Reset
from tonnage.access.session import Client, digest, new_token
from tonnage.access.sign_in_queries import find_login
from tonnage.clock import Clock
from tonnage.db import Connection, Database
from tonnage.errors import NotFound, Sentence
from tonnage.jobs import defer
from tonnage.mail import Post

LASTING = timedelta(hours=1)
_PAUSE = timedelta(minutes=5)
_WARNED_AGAIN = timedelta(hours=1)

BAD_LINK = Sentence(
    "This link does not work any more: it was used, replaced by a newer one, or is over an hour old; ask for another."
)


async def ask_reset(conn: Connection, email: str, client: Client, now: datetime) -> None:
    """Has a link sent, if there is such a member. The caller learns nothing of that: the same is done in any case.

    Throttled: this client asks too often.
    """
    await admit_try(conn, [guessing.of_resets(client.address)], now)
    login = await find_login(conn, email)
    await defer(conn, "access.send_reset", login.member_id if login else uuid4())


async def send_reset(database: Database, post: Post, member_id: UUID, clock: Clock) -> None:
    """Makes the token, which so never is in the queue, and mails it; at most one per member in five minutes."""
    token, now = new_token(), clock()
    email = await database.run(
        lambda conn: reset_queries.insert_reset(conn, member_id, digest(token), now, LASTING, _PAUSE)
    )
    if email is None:
        return
    try:
        await post.outbox.send(mails.new_password(email, post.origin, token))
    except BaseException:
        # The job comes again, and must not find that a mail was sent just now.
        await database.run(lambda conn: reset_queries.delete_reset(conn, digest(token)))
        raise


async def tell_blocked(database: Database, post: Post, member_id: UUID, actor: Actor, clock: Clock) -> None:
    """Mails that somebody guesses; once an hour, from however many machines it is done."""
    now = clock()
    email = await database.run(lambda conn: reset_queries.may_warn(conn, member_id, now, _WARNED_AGAIN))
    if email is not None:
        await post.outbox.send(mails.blocked(email, post.origin))
        await database.run(lambda conn: reset_queries.note_warning(conn, member_id, now, actor.stamp))


async def reset_of(conn: Connection, token: str, now: datetime) -> Reset | None:
    """Whether a token is good, for showing the form; it stays so."""
    return await reset_queries.find_reset(conn, digest(token), now)


async def reset_password(conn: Connection, token: str, password_hash: str, client: Client, now: datetime) -> None:
    """In the caller's transaction. Ends all sessions of the member; a second factor stays. NotFound: a bad token.

    What this client has mistyped at the address is forgotten. Its failures elsewhere, others' failures and wrong codes
    are not: the mailbox does not prove who those were.
    """
    reset = await reset_queries.use_reset(conn, digest(token), now)
    if reset is None:
        raise NotFound(BAD_LINK)
    await replace_password(conn, reset.actor, reset.member_id, password_hash, but=None)
    await guessing_queries.forget(conn, guessing.of_pair(reset.email, client.address))
