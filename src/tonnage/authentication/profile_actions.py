"""What members do to their own login."""

from datetime import datetime
from pathlib import Path

from tonnage.authentication import second_factor_actions, session_queries
from tonnage.authentication.credential_actions import replace_password
from tonnage.authentication.second_factor import Enrolment
from tonnage.authentication.session import SESSION_ENDED, ClientInfo, SignedInMember, digest, new_token
from tonnage.authentication.sign_in_actions import verify_code, verify_password
from tonnage.db import Connection, Database
from tonnage.errors import EditConflict, Unauthenticated
from tonnage.members import profile_queries
from tonnage.members.member import ProfileChange
from tonnage.passwords import Passwords


async def change_own_password(
    database: Database,
    passwords: Passwords,
    visitor: SignedInMember,
    current: str,
    new: str,
    client: ClientInfo,
    now: datetime,
) -> str:
    """Ends the member's other sessions; this one goes on under another token, which is what comes back: whoever has the
    cookie of this one, too, is out. `new` keeps the rule of member passwords.

    Unauthenticated: `current` is wrong, which counts as a failure to sign in. Throttled: too many of them.
    """
    counted = await verify_password(database, passwords, visitor, current, client, now)
    password_hash = await passwords.hash(new)
    token = new_token()

    async def change(conn: Connection) -> None:
        await replace_password(conn, visitor.actor, visitor.member_id, password_hash, but=visitor.session_id)
        if not await session_queries.rotate_token(conn, visitor.session_id, digest(token)):
            # Somebody else has set a password since `current` was looked at, and that one stays.
            raise Unauthenticated(SESSION_ENDED)
        await counted.forgive(conn)

    await database.transaction(change)
    return token


async def change_profile(
    conn: Connection, visitor: SignedInMember, change: ProfileChange, *, expected: ProfileChange | None = None
) -> None:
    """The caller has looked whether there are such a locale and such a time zone.

    EditConflict: a field that changes is no longer as `expected`.
    """
    stale = await profile_queries.update_profile(conn, visitor.member_id, change, expected, visitor.actor.stamp)
    if stale:
        raise EditConflict(stale)


async def begin_second_factor(
    database: Database,
    passwords: Passwords,
    key_file: Path | None,
    visitor: SignedInMember,
    current: str,
    client: ClientInfo,
    now: datetime,
) -> Enrolment:
    """For the password, so that whoever has got hold of a session does not lock its member out with another app.

    Unauthenticated: `current` is wrong, which counts as a failure to sign in, or the session has ended. Throttled: too
    many of them. Conflict: there is a factor already, or no key file; then the password is not looked at.
    """
    second_factor_actions.require_keys_and_no_factor(key_file, visitor)
    counted = await verify_password(database, passwords, visitor, current, client, now)
    # Right, whether the seed can be sealed now or not.
    await database.transaction(counted.forgive)
    return await database.transaction(second_factor_actions.begin_enrolment, key_file, visitor)


async def renew_recovery_codes(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> list[str]:
    """Ten new recovery codes, to be shown this once, for a code of the app or one of the old ones.

    Unauthenticated: the code is wrong. Throttled: too many were.
    """
    counted = await verify_code(database, key_file, visitor, code, client, now)

    async def renew(conn: Connection) -> list[str]:
        # The member is locked before the counts, here as at sign-in.
        codes = await second_factor_actions.renew_recovery_codes(conn, visitor)
        await counted.forgive(conn)
        return codes

    return await database.transaction(renew)


async def remove_second_factor(
    database: Database, key_file: Path | None, visitor: SignedInMember, code: str, client: ClientInfo, now: datetime
) -> None:
    """The member's own, for a code as above. Conflict: the organisation requires one; then the code is not used up."""
    second_factor_actions.require_removable(visitor)
    counted = await verify_code(database, key_file, visitor, code, client, now)

    async def remove(conn: Connection) -> None:
        await second_factor_actions.remove_second_factor(conn, visitor)
        await counted.forgive(conn)

    await database.transaction(remove)
