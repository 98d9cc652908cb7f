"""Signing in: with a password, and then with a code if the member has a second factor."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tonnage.access.actor import Actor
from tonnage.authentication import session_queries, sign_in_queries, throttling
from tonnage.authentication.second_factor_actions import use_code
from tonnage.authentication.session import SESSION_ENDED, ClientInfo, SignedInMember, Stage
from tonnage.authentication.sign_in_queries import StoredCredentials
from tonnage.authentication.throttling import AddressFailures, ThrottleKey
from tonnage.authentication.throttling_actions import CountedAttempts, count_attempts
from tonnage.db import Connection, Database
from tonnage.devices.actions import remember
from tonnage.devices.queries import find_device
from tonnage.error_codes import RequestCode
from tonnage.errors import Busy, Conflict, Sentence, Unauthenticated, Unavailable
from tonnage.jobs import defer
from tonnage.passwords import Hashing, Passwords, Requester
from tonnage.security_events.actions import record_attempt
from tonnage.security_events.counted_event import Counted
from tonnage.security_events.security_log import log_event
from tonnage.tokens import digest, new_token

WRONG_PASSWORD = Sentence("The e-mail address or password is wrong.")
WRONG_CODE = Sentence("The code is wrong or already used. Wait for the next one.")


@dataclass(frozen=True)
class SignedIn:
    """A session with its token. The token is for the cookie and is not stored."""

    token: str
    stage: Stage
    device: str = ""
    """The token of the device, which is known from now on; empty until the sign-in is complete."""


async def sign_in(
    database: Database, passwords: Passwords, email: str, password: str, client: ClientInfo, now: datetime
) -> SignedIn:
    """Opens a session. Its stage is CODE if the member has a second factor.

    Unauthenticated: the address or the password is wrong; the error does not say which. Or the password is right, but
    the member or its organisation is locked: the error says so. Throttled: too many failures. LinkNeeded: too many at
    this address, from everywhere, and this is no known device; then no password is verified. Busy: too many sign-ins of
    this client at once; then the attempt is not counted. The work and the time it takes are the same whether the
    address belongs to a member or not.
    """
    async with passwords.admit(Requester.of(client.address)) as hashing:
        return await _sign_in(database, hashing, email, password, client, now)


async def _sign_in(
    database: Database, hashing: Hashing, email: str, password: str, client: ClientInfo, now: datetime
) -> SignedIn:
    subjects = await _counted_together(database, email, client, now)
    # Strangers' failures must not make the owner of a known device need a link.
    address = AddressFailures.of(email, now) if any(subject.is_shared for subject in subjects) else None
    counted = await database.run(count_attempts, subjects, now, address)
    login = await database.run(sign_in_queries.credentials_by_email, email)
    matches = await _verify(database, hashing, counted, login.password_hash if login else None, password)
    if login is None or not matches:
        member_id = login.member_id if login else throttling.nobody(email)
        await _record_failure(database, counted, Counted.FAILED_PASSWORD, member_id, now)
        raise Unauthenticated(WRONG_PASSWORD, RequestCode.SIGN_IN_FAILED)
    signed_in = await database.transaction(_open_session, login, client, counted, now)
    if isinstance(signed_in, Sentence):
        await database.run(record_attempt, Counted.FAILED_LOCKED, login.member_id, now)
        raise Unauthenticated(signed_in, RequestCode.SIGN_IN_LOCKED)
    if signed_in.stage is Stage.OPEN:
        log_event("member.sign-in", login.organisation_id, member=login.member_id)
    if hashing.is_outdated(login.password_hash):
        fresh = await hashing.hash(password)
        await database.run(sign_in_queries.replace_hash, login, fresh)
    return signed_in


async def submit_code(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> SignedIn:
    """Accepts a code of the second factor or a recovery code. Returns the same session, open and with another token.

    Unauthenticated: the code is wrong. Throttled: too many failures.
    """
    counted = await verify_code(database, key_file, visitor, code, client, now)
    token = new_token()

    async def open_session(conn: Connection) -> str:
        # The member is locked first: every statement that ends its sessions also locks the member before them.
        await sign_in_queries.hold_member(conn, visitor.member_id)
        if not await session_queries.rotate_token(conn, visitor.session_id, digest(token), authenticated_at=now):
            raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
        await counted.forgive(conn)
        return await _complete_sign_in(conn, visitor.actor, visitor.member_id, client, now, with_code=True)

    signed_in = SignedIn(token, Stage.OPEN, await database.transaction(open_session))
    log_event("member.sign-in", visitor.actor.organisation_id, member=visitor.member_id)
    return signed_in


async def verify_code(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> CountedAttempts:
    """Verifies a code and uses it up. Raises as `submit_code` does; the caller resets the failure count.

    Conflict, Unavailable: the code cannot be verified without the key file. This does not count as a failure.
    """
    subjects = (
        throttling.codes_of(visitor.member_id),
        *await _counted_together(database, visitor.email, client, now),
    )
    counted = await database.run(count_attempts, subjects, now)
    try:
        is_right = await database.transaction(use_code, key_file, visitor, code, now)
    except (Conflict, Unavailable):
        await database.run(counted.take_back)
        raise
    if not is_right:
        await _record_failure(database, counted, Counted.FAILED_CODE, visitor.member_id, now)
        raise Unauthenticated(WRONG_CODE, RequestCode.SIGN_IN_FAILED)
    return counted


async def verify_password(
    database: Database, hashing: Hashing, visitor: SignedInMember, password: str, client: ClientInfo, now: datetime
) -> CountedAttempts:
    """The same for a member's own password, where a form asks for it again."""
    subjects = (
        throttling.own_passwords_of(visitor.member_id),
        *await _counted_together(database, visitor.email, client, now),
    )
    counted = await database.run(count_attempts, subjects, now)
    known = await database.run(sign_in_queries.password_hash_of, visitor.member_id)
    if not await _verify(database, hashing, counted, known, password):
        await _record_failure(database, counted, Counted.FAILED_PASSWORD, visitor.member_id, now)
        raise Unauthenticated("The current password is wrong.", RequestCode.SIGN_IN_FAILED)
    return counted


async def _verify(
    database: Database, hashing: Hashing, counted: CountedAttempts, encoded: str | None, password: str
) -> bool:
    try:
        return await hashing.verify(encoded, password)
    except Busy:
        # The attempt was not verified.
        await database.run(counted.take_back)
        raise


async def _open_session(
    conn: Connection, login: StoredCredentials, client: ClientInfo, counted: CountedAttempts, now: datetime
) -> SignedIn | Sentence:
    token = new_token()
    stage = Stage.CODE if login.has_second_factor else Stage.OPEN
    locks = await sign_in_queries.insert_session(conn, login, digest(token), stage, client, now)
    if locks is None:
        # The password was changed while it was verified, so it is wrong now even if it was right.
        raise Unauthenticated(WRONG_PASSWORD, RequestCode.SIGN_IN_FAILED)
    if locks.refusal:
        await counted.take_back(conn)
        return locks.refusal
    if stage is Stage.CODE:
        # The code is still to come. If the count were reset now, a client that knows the password could guess codes
        # without limit.
        await counted.take_back(conn)
    else:
        await counted.forgive(conn)
        return SignedIn(
            token, stage, await _complete_sign_in(conn, login.actor, login.member_id, client, now, with_code=False)
        )
    return SignedIn(token, stage)


async def _complete_sign_in(
    conn: Connection, actor: Actor, member_id: UUID, client: ClientInfo, now: datetime, *, with_code: bool
) -> str:
    """Records a sign-in of a member that is locked; returns the token of the device."""
    device = await remember(conn, member_id, client.device, now)
    entry = await sign_in_queries.record_sign_in(
        conn, member_id, now, actor.stamp, with_code=with_code, on_new_device=device.is_new
    )
    if entry is not None and device.is_new:
        await defer(conn, "notices.notify", entry)
    return device.token


async def _counted_together(
    database: Database, email: str, client: ClientInfo, now: datetime
) -> tuple[ThrottleKey, ...]:
    """What an attempt at that address counts for: the known device, or else the client."""
    known = await database.run(find_device, client.device, email, now) if client.device else None
    if known is not None:
        return (throttling.device(known, email),)
    return (*throttling.email_and_client(email, client.address), *throttling.client(client.address))


async def _record_failure(
    database: Database, counted: CountedAttempts, action: Counted, member_id: UUID, now: datetime
) -> None:
    await database.run(record_attempt, action, member_id, now)
    if counted.blocks:
        await database.run(defer, "authentication.notify_blocked", member_id)
    if counted.warns:
        await database.run(defer, "authentication.notify_failures", member_id)
