"""Actions on second factors.

Seeds are sealed as `totp/MEMBER`, and until a code confirms them as `totp-new/SESSION`. Two sessions that enrol at the
same time have a seed each, which is discarded with its session.
"""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from tonnage import sealing
from tonnage.access.actor import Actor, Role
from tonnage.authentication import second_factor, second_factor_queries, session_queries
from tonnage.authentication.second_factor import Enrolment
from tonnage.authentication.session import SESSION_ENDED, SignedInMember
from tonnage.db import Connection
from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.errors import Conflict, Invalid, Sentence, Unauthenticated, Unavailable
from tonnage.jobs import defer
from tonnage.members.member import no_member
from tonnage.organisations.organisation import no_organisation
from tonnage.tokens import digest, new_token

NO_KEYS = Sentence(
    "Two-factor authentication is not available: this system has no key to encrypt its secrets. The "
    "operator must set TONNAGE_SECRET_KEY_FILE."
)


def require_keys_and_no_factor(key_file: Path | None, visitor: SignedInMember) -> Path:
    """Returns the key file if a second factor can be set up. Conflict: there is one already, or no key file."""
    if visitor.has_second_factor:
        raise Conflict(
            "You already have two-factor authentication. Remove it before you set it up again.",
            ConflictCode.SECOND_FACTOR,
        )
    if key_file is None:
        raise Conflict(NO_KEYS, ConflictCode.NO_SECRET_KEY)
    return key_file


async def begin_enrolment(conn: Connection, key_file: Path | None, visitor: SignedInMember) -> Enrolment:
    """Runs in the caller's transaction, after `verify_password`. Returns a new seed, which has no effect until
    `confirm_enrolment`.

    Conflict: there is a factor already, or no key file. Unauthenticated: the session has ended.
    """
    keys = require_keys_and_no_factor(key_file, visitor)
    # The session is locked, so that it cannot end before its seed is stored: nothing would discard that seed.
    if not await session_queries.lock_session(conn, visitor.session_id):
        raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
    seed = second_factor.new_seed()
    try:
        await sealing.store(conn, keys, _pending(visitor.session_id), seed.encode())
    except sealing.SealingError as error:
        raise Unavailable(
            "Two-factor authentication cannot be set up at the moment: {reason}",
            UnavailableCode.SECRETS_UNREADABLE,
            reason=str(error),
        ) from error
    return second_factor.enrolment(seed, visitor.email)


async def pending_enrolment(conn: Connection, key_file: Path | None, visitor: SignedInMember) -> Enrolment | None:
    """The latest enrolment of this session that is not confirmed, to show its page again."""
    seed = await _opened(conn, key_file, _pending(visitor.session_id))
    return None if seed is None or visitor.has_second_factor else second_factor.enrolment(seed, visitor.email)


async def confirm_enrolment(
    conn: Connection, key_file: Path | None, visitor: SignedInMember, code: str, now: datetime
) -> tuple[str, list[str]]:
    """Runs in the caller's transaction. The factor is active from now on. Returns a new token for the session, and ten
    recovery codes that are shown only once. The member's other sessions end: they were opened without the factor.

    Invalid, field `code`: it is not the app's code. Conflict: this session has no pending enrolment, or has ended.
    Unauthenticated: it ended just now.
    """
    seed = await _opened(conn, key_file, _pending(visitor.session_id))
    if seed is None or key_file is None:
        raise Conflict("There is no two-factor authentication to confirm. Start again.", ConflictCode.SECOND_FACTOR)
    step = second_factor.matching_step(seed, code, now)
    if step is None:
        raise Invalid.field("code", "is not the code that the app shows now; check the clock of your device")
    entry = await second_factor_queries.add_factor(conn, visitor.member_id, step, now, visitor.actor.stamp)
    if entry is None:
        raise Conflict(
            "You already have two-factor authentication. Remove it before you set it up again.",
            ConflictCode.SECOND_FACTOR,
        )
    await sealing.store(conn, key_file, _kept(visitor.member_id), seed.encode())
    await sealing.discard(conn, _pending(visitor.session_id))
    token = new_token()
    if not await session_queries.rotate_token(conn, visitor.session_id, digest(token)):
        # The session ended meanwhile, perhaps because it was stolen. The app of a stolen session must not become the
        # member's.
        raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
    await session_queries.end_other_sessions(conn, visitor.member_id, visitor.session_id)
    await defer(conn, "notices.notify", entry)
    return token, await _fresh_codes(conn, visitor.member_id)


async def use_code(conn: Connection, key_file: Path | None, visitor: SignedInMember, code: str, now: datetime) -> bool:
    """Returns whether it is a code of the member's app or a recovery code, and uses it up. The caller counts the
    attempts.
    """
    recovery = second_factor.recovery_digest(code)
    if recovery is not None:
        return await second_factor_queries.take_recovery_code(conn, visitor.member_id, recovery, visitor.actor.stamp)
    seed = await _opened(conn, key_file, _kept(visitor.member_id))
    step = second_factor.matching_step(seed, code, now) if seed else None
    return step is not None and await second_factor_queries.take_step(conn, visitor.member_id, step)


async def renew_recovery_codes(conn: Connection, visitor: SignedInMember) -> list[str]:
    """Runs in the caller's transaction, after `verify_code`. Returns ten new recovery codes; the old ones become
    invalid.
    """
    entry = await second_factor_queries.hold_factor(conn, visitor.member_id, visitor.actor.stamp)
    if entry is None:
        raise Conflict("Recovery codes need two-factor authentication. Set it up first.", ConflictCode.SECOND_FACTOR)
    await defer(conn, "notices.notify", entry)
    return await _fresh_codes(conn, visitor.member_id)


def require_removable(visitor: SignedInMember) -> None:
    """Conflict: the organisation requires a second factor."""
    if visitor.second_factor_required:
        raise _required(visitor)


async def remove_second_factor(conn: Connection, visitor: SignedInMember) -> None:
    """Runs in the caller's transaction, after `verify_code`. Conflict: the organisation requires a second factor."""
    entry = await second_factor_queries.remove_factor(conn, visitor.member_id, visitor.actor.stamp)
    if entry is None:
        raise _required(visitor)
    await defer(conn, "notices.notify", entry)
    await sealing.discard(conn, _kept(visitor.member_id))


async def reset_second_factor(conn: Connection, actor: Actor, organisation_id: UUID | None, member_id: UUID) -> None:
    """Removes the factor of a member who has lost it, in the caller's transaction. The caller has checked that the
    actor may do this.

    Ends the member's sessions. NotFound: there is no such member of that organisation (None: of any organisation).
    """
    entry = await second_factor_queries.reset_factor(conn, organisation_id, member_id, actor.stamp)
    if entry is None:
        raise no_member(member_id)
    await defer(conn, "notices.notify", entry)
    await sealing.discard(conn, _kept(member_id))
    await session_queries.end_other_sessions(conn, member_id, None)


async def require_second_factor(conn: Connection, key_file: Path | None, actor: Actor, required: bool) -> None:
    """Sets whether all members of the actor's own organisation must have a second factor. It applies at once: members
    without one can only open the pages that set one up.

    Conflict: there is no key file, so nobody could set one up and nobody could use the console.
    ReauthenticationRequired: to require it no longer.
    """
    actor.require(actor.kind, Role.ADMIN)
    if required and key_file is None:
        raise Conflict(NO_KEYS, ConflictCode.NO_SECRET_KEY)
    if not required:
        actor.require_recent_authentication()
    if not await second_factor_queries.set_required(conn, actor.organisation_id, required, actor.stamp):
        raise no_organisation(actor.organisation_id)


def _required(visitor: SignedInMember) -> Conflict:
    return Conflict(
        "{organisation} requires two-factor authentication. An admin can change that.",
        ConflictCode.SECOND_FACTOR,
        organisation=visitor.organisation_name,
    )


async def _fresh_codes(conn: Connection, member_id: UUID) -> list[str]:
    codes = second_factor.new_recovery_codes()
    digests = [found for code in codes if (found := second_factor.recovery_digest(code))]
    await second_factor_queries.replace_recovery_codes(conn, member_id, digests)
    return codes


async def _opened(conn: Connection, key_file: Path | None, name: str) -> str | None:
    if key_file is None:
        raise Conflict(NO_KEYS, ConflictCode.NO_SECRET_KEY)
    try:
        seed = await sealing.fetch(conn, key_file, name)
    except sealing.SealingError as error:
        raise Unavailable(
            "Codes cannot be checked at the moment. The operator must check the key file.",
            UnavailableCode.SECRETS_UNREADABLE,
        ) from error
    return seed.decode() if seed else None


def _kept(member_id: UUID) -> str:
    return f"totp/{member_id}"


def _pending(session_id: UUID) -> str:
    return f"totp-new/{session_id}"
