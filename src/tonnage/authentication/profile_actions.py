"""Changes that members make to their own login."""

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
    """Sets the password, ends the member's other sessions and rotates the token of this one. Returns the new token: a
    copied cookie of this session stops working, too. `new` follows the rule of member passwords.

    Unauthenticated: `current` is wrong, which counts as a failed sign-in. Throttled: too many failures.
    """
    counted = await verify_password(database, passwords, visitor, current, client, now)
    password_hash = await passwords.hash(new)
    token = new_token()

    async def change(conn: Connection) -> None:
        await replace_password(conn, visitor.actor, visitor.member_id, password_hash, but=visitor.session_id)
        if not await session_queries.rotate_token(conn, visitor.session_id, digest(token)):
            # The password was changed by another request after `current` was verified. That change stays.
            raise Unauthenticated(SESSION_ENDED)
        await counted.forgive(conn)

    await database.transaction(change)
    return token


async def change_profile(
    conn: Connection, visitor: SignedInMember, change: ProfileChange, *, expected: ProfileChange | None = None
) -> None:
    """Changes the member's profile. The caller has checked that the locale and the time zone exist.

    EditConflict: a field that changes is no longer as `expected`.
    """
    if not await profile_queries.update_profile(conn, visitor.member_id, change, expected, visitor.actor.stamp):
        raise EditConflict


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
    counted = await verify_password(database, passwords, visitor, current, client, now)
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
