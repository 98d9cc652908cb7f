"""Changes to passwords and second factors: by members to their own, and by others."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.authentication import reset_queries, second_factor_actions, session_queries
from tonnage.authentication.second_factor import Enrolment
from tonnage.authentication.session import SESSION_ENDED, ClientInfo, SignedInMember
from tonnage.authentication.sign_in_actions import SignedIn, verify_code, verify_password
from tonnage.db import Connection, Database
from tonnage.devices.actions import remember
from tonnage.devices.queries import forget_devices
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Conflict, Sentence, Unauthenticated
from tonnage.jobs import defer
from tonnage.members import queries as member_queries
from tonnage.members.actions import find_member, hold_team
from tonnage.members.member import no_member
from tonnage.password_rules import require_impersonal
from tonnage.passwords import Hashing, Passwords, Requester
from tonnage.tokens import digest, new_token

_OWN_PASSWORD = Sentence("This is your own password. Change it in your profile.")
_OWN_FACTOR = Sentence("This is your own two-factor authentication. Change it in your profile.")


async def change_own_password(
    database: Database,
    passwords: Passwords,
    visitor: SignedInMember,
    current: str,
    new: str,
    client: ClientInfo,
    now: datetime,
) -> SignedIn:
    """Sets the password, ends the member's other sessions and rotates the token of this one: a copied cookie of this
    session stops working, too. Returns the session with its new token, and with that of the device: no other device is
    known any more. `new` follows the rule of member passwords.

    Invalid: `new` is made of the member's own address or organisation. Unauthenticated: `current` is wrong, which
    counts as a failed sign-in. Throttled: too many failures.
    """
    require_impersonal(new, visitor.email, visitor.organisation_name, field="new")
    async with _admitted(passwords, visitor, client) as hashing:
        counted = await verify_password(database, hashing, visitor, current, client, now)
        password_hash = await hashing.hash(new)
    token = new_token()

    async def change(conn: Connection) -> str:
        await replace_password(conn, visitor.actor, visitor.member_id, password_hash, but=visitor.session_id)
        if not await session_queries.rotate_token(conn, visitor.session_id, digest(token)):
            # The password was changed by another request after `current` was verified. That change stays.
            raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
        await counted.forgive(conn)
        return (await remember(conn, visitor.member_id, "", now)).token

    return SignedIn(token, visitor.stage, await database.transaction(change))


async def begin_second_factor(
    database: Database,
    passwords: Passwords,
    key_file: Path | None,
    visitor: SignedInMember,
    current: str,
    client: ClientInfo,
    now: datetime,
) -> Enrolment:
    """Starts enrolment. Requires the password, so that a stolen session cannot lock its member out with another app.

    Unauthenticated: `current` is wrong, which counts as a failed sign-in, or the session has ended. Throttled: too many
    failures. Conflict: there is a factor already, or no key file; then the password is not verified.
    """
    second_factor_actions.require_keys_and_no_factor(key_file, visitor)
    async with _admitted(passwords, visitor, client) as hashing:
        counted = await verify_password(database, hashing, visitor, current, client, now)
    # The password is right, whether the seed can be sealed now or not.
    await database.transaction(counted.forgive)
    return await database.transaction(second_factor_actions.begin_enrolment, key_file, visitor)


async def renew_recovery_codes(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> list[str]:
    """Returns ten new recovery codes, which are shown only once. Requires a code of the app or an old recovery code.

    Unauthenticated: the code is wrong. Throttled: too many wrong codes.
    """
    counted = await verify_code(database, key_file, visitor, code, client, now)

    async def renew(conn: Connection) -> list[str]:
        # The member's row is locked before the failure counts, as at sign-in.
        codes = await second_factor_actions.renew_recovery_codes(conn, visitor)
        await counted.forgive(conn)
        return codes

    return await database.transaction(renew)


async def remove_second_factor(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> None:
    """Removes the member's own second factor. Requires a code as above.

    Conflict: the organisation requires a second factor; then the code is not used up.
    """
    second_factor_actions.require_removable(visitor)
    counted = await verify_code(database, key_file, visitor, code, client, now)

    async def remove(conn: Connection) -> None:
        await second_factor_actions.remove_second_factor(conn, visitor)
        await counted.forgive(conn)

    await database.transaction(remove)


async def reauthenticate(
    database: Database,
    passwords: Passwords,
    key_file: Path | None,
    visitor: SignedInMember,
    proof: str,
    client: ClientInfo,
    now: datetime,
) -> None:
    """Records in the session that its member has proved again who it is: with a code as above if it has a second
    factor, else with its password.

    Unauthenticated: the proof is wrong, which counts as a failed sign-in, or the session has ended. Throttled: too many
    failures. Conflict, Unavailable: a code cannot be verified now.
    """
    if visitor.has_second_factor:
        counted = await verify_code(database, key_file, visitor, proof, client, now)
    else:
        async with _admitted(passwords, visitor, client) as hashing:
            counted = await verify_password(database, hashing, visitor, proof, client, now)

    async def record(conn: Connection) -> None:
        if not await session_queries.record_authentication(conn, visitor.session_id, now):
            raise Unauthenticated(SESSION_ENDED, RequestCode.SESSION_ENDED)
        await counted.forgive(conn)

    await database.transaction(record)


async def set_password(
    conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID, password_hash: str
) -> None:
    """Sets a new password for another member and ends its sessions. Forbidden: its role is above the actor's.

    Conflict: it is the actor's own password; changing that requires the current one as well.
    """
    _require_other(actor, member_id, _OWN_PASSWORD)
    actor.require_recent_authentication()
    async with conn.transaction():
        await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        await replace_password(conn, actor, member_id, password_hash, but=None)


async def reset_second_factor(conn: Connection, actor: Actor, organisation_id: UUID, member_id: UUID) -> None:
    """Removes the second factor of another member who has lost it. Ends its sessions; the next sign-in needs only the
    password. Forbidden: its role is above the actor's.

    Conflict: it is the actor's own factor; that one is removed with a code.
    """
    _require_other(actor, member_id, _OWN_FACTOR)
    actor.require_recent_authentication()
    async with conn.transaction():
        await hold_team(conn, actor, organisation_id, member_id, Role.STAFF)
        await second_factor_actions.reset_second_factor(conn, actor, organisation_id, member_id)


async def set_member_password(conn: Connection, actor: Actor, email: str, password_hash: str) -> None:
    """For the operator: sets a new password for any member. NotFound: no member has that address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        _, member_id = await find_member(conn, email)
        await replace_password(conn, actor, member_id, password_hash, but=None)


async def reset_member_factor(conn: Connection, actor: Actor, email: str) -> None:
    """For the operator: removes a member's second factor and ends its sessions. NotFound: no such address."""
    actor.require(Kind.OPERATOR, Role.ADMIN)
    async with conn.transaction():
        _, member_id = await find_member(conn, email)
        await second_factor_actions.reset_second_factor(conn, actor, None, member_id)


async def replace_password(
    conn: Connection, actor: Actor, member_id: UUID, password_hash: str, *, but: UUID | None
) -> None:
    """Runs in the caller's transaction. Ends all sessions of the member but one, discards pending links, and forgets
    the member's devices.
    """
    entry = await member_queries.set_password(conn, member_id, password_hash, actor.stamp)
    if entry is None:
        raise no_member(member_id)
    await session_queries.end_other_sessions(conn, member_id, but)
    await reset_queries.discard_resets(conn, member_id)
    await forget_devices(conn, member_id)
    await defer(conn, "notices.notify", entry)


def _admitted(
    passwords: Passwords, visitor: SignedInMember, client: ClientInfo
) -> AbstractAsyncContextManager[Hashing]:
    return passwords.admit(Requester.of(client.address, visitor.actor.organisation_id))


def _require_other(actor: Actor, member_id: UUID, refusal: str) -> None:
    if actor.via_id == member_id:
        raise Conflict(refusal, ConflictCode.OWN_CREDENTIALS)
