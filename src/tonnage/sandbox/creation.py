"""Creates a sandbox in an empty database, and finds one that is there."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from psycopg.errors import CheckViolation

from tonnage import keyfile
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys.actions import actor_of_key, create_key
from tonnage.api_keys.api_key import NewKey
from tonnage.authentication.credential_actions import set_member_password
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.keyfile import KeyFile, LoginEntry
from tonnage.members.actions import create_team_member
from tonnage.members.member import NewMember
from tonnage.organisations.queries import operator_id
from tonnage.password_rules import random_password
from tonnage.regions.actions import add_region
from tonnage.regions.region import NewRegion
from tonnage.sandbox import queries
from tonnage.sandbox.actions import finish_day
from tonnage.sandbox.level import LAST_DAY, midnight
from tonnage.services import Services
from tonnage.utc import day_of

KEY = "operator_admin"
"""The name of the key in the file."""
LOGIN = NewMember("operator@sandbox.example.com", Role.ADMIN, "", "Sandbox operator")
METERED_REGION, SIMULATED_REGION = "metered-1", "simulated-1"


_NOT_NEW = (
    "The database is not a new one, and only a new one becomes a sandbox. Start without --sandbox, or give the sandbox "
    "its own database or data directory."
)


class SandboxRefused(Exception):
    """There can be no sandbox here; nothing was changed. The message says why and what to do."""


@dataclass(frozen=True)
class Sandbox:
    """What the start prints."""

    admin_key: str
    key_file: Path
    """The file with the key and the password."""
    time: datetime
    """Of the business clock."""


@dataclass(frozen=True)
class _Login:
    password: str
    digest: str


def path_in(data_dir: Path) -> Path:
    """The path of the file with the key."""
    return data_dir / "sandbox.json"


async def prepare(services: Services, data_dir: Path, base_url: str, at: date | None) -> Sandbox:
    """Makes an empty database a sandbox whose time begins with the day `at`, or today; or finds the one that is there,
    whose data, time and key stay. The key is in `DATA_DIR/sandbox.json`; if it is lost or no longer works, it is
    written again with a new key and password.

    `base_url` is the address of the API, ending in `/v1`. Raises SandboxRefused: the database holds other data, or the
    file cannot be written or read.
    """
    database, clock = services.database, services.sandbox_clock
    if clock is None:
        raise ValueError("these services cannot have the clock of a sandbox")
    begins = midnight(at or day_of(services.wall_clock()))
    if day_of(begins) >= LAST_DAY:
        raise SandboxRefused(f"A sandbox begins before {LAST_DAY}.")
    try:
        kept = await database.run(_kept, data_dir, services.wall_clock())
        if kept is None:
            password = random_password()
            login = _Login(password, await services.passwords.hash(password))
            kept = await database.transaction(_made, data_dir, base_url, login, begins, services.wall_clock())
        if kept.base_url != base_url:
            await asyncio.to_thread(keyfile.write, path_in(data_dir), replace(kept, base_url=base_url))
    except OSError as error:
        raise SandboxRefused(
            f"The key of the sandbox cannot be saved in {path_in(data_dir)}: {error.strerror or error}. Use another "
            "data directory, or make this one writable."
        ) from error
    await database.run(clock.find)
    await finish_day(services)
    return Sandbox(kept.keys[KEY], path_in(data_dir), clock.read())


async def _kept(conn: Connection, data_dir: Path, now: datetime) -> KeyFile | None:
    """The file of the sandbox in this database; None if there is none whose key works, or no sandbox."""
    if await queries.clock_state(conn) is None:
        return None
    found = keyfile.read(path_in(data_dir))
    key = found and found.keys.get(KEY)
    actor = await actor_of_key(conn, key, now) if key else None
    return found if actor and (actor.kind, actor.role) == (Kind.OPERATOR, Role.ADMIN) else None


async def _made(
    conn: Connection, data_dir: Path, base_url: str, login: _Login, begins: datetime, now: datetime
) -> KeyFile:
    """Makes what is missing: the sandbox, or only its file."""
    await queries.hold_data(conn)
    kept = await _kept(conn, data_dir, now)  # another start may have come first
    if kept is not None:
        return kept
    operator = Actor.on_command_line(await operator_id(conn), Kind.OPERATOR)
    if await queries.clock_state(conn) is None:
        if await queries.was_served(conn):
            raise SandboxRefused(_NOT_NEW)
        try:
            await queries.create_clock(conn, begins)
        except CheckViolation as error:
            raise SandboxRefused(_NOT_NEW) from error
        await create_team_member(conn, operator, replace(LOGIN, password_hash=login.digest), now)
        for name, simulated in ((METERED_REGION, False), (SIMULATED_REGION, True)):
            await add_region(conn, operator, _region(name, simulated=simulated), begins)
        members = [_entry(login)]
    else:
        members = await _renewed(conn, operator, login)
    key, _ = await create_key(conn, operator, operator.organisation_id, NewKey(f"Sandbox: {KEY}", Role.ADMIN), now)
    made = KeyFile(base_url, {KEY: key}, members)
    # Before the transaction ends: of data whose key was never written nobody could make use.
    keyfile.write(path_in(data_dir), made)
    return made


async def _renewed(conn: Connection, operator: Actor, login: _Login) -> list[LoginEntry]:
    try:
        await set_member_password(conn, operator, LOGIN.email, login.digest)
    except NotFound:
        return []  # the member was removed
    return [_entry(login)]


def _entry(login: _Login) -> LoginEntry:
    return LoginEntry(LOGIN.email, login.password, "Operator", LOGIN.role)


def _region(name: str, *, simulated: bool) -> NewRegion:
    return NewRegion(
        name, *(f"https://{service}.{name}.example.com" for service in ("s3", "iam", "sts")), simulated=simulated
    )
