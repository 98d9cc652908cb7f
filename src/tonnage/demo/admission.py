"""Keys and logins of the sample data: generated for every installation, never part of the program."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys import actions as api_key_actions
from tonnage.api_keys.actions import actor_of_key
from tonnage.api_keys.api_key import NewKey
from tonnage.authentication import credential_actions
from tonnage.db import Connection
from tonnage.demo import scene
from tonnage.errors import NotFound
from tonnage.keyfile import LoginEntry
from tonnage.members import actions as member_actions
from tonnage.members.member import NewMember
from tonnage.organisations.queries import operator_id
from tonnage.password_rules import random_password
from tonnage.passwords import Passwords


@dataclass(frozen=True)
class Secrets:
    """New passwords of the members by e-mail address, with their hashes, and the hash of an unknown password."""

    passwords: Mapping[str, str]
    hashes: Mapping[str, str]
    nobodys_hash: str


async def new_secrets(passwords: Passwords) -> Secrets:
    """Generates the passwords. Takes a second or two: hashing is slow on purpose."""
    chosen = {login.email: random_password() for login in scene.LOGINS}
    *hashes, nobodys = await asyncio.gather(*map(passwords.hash, [*chosen.values(), random_password()]))
    return Secrets(chosen, dict(zip(chosen, hashes, strict=True)), nobodys)


async def admits(conn: Connection, key: str, now: datetime) -> bool:
    """Whether `key` authenticates an admin of the demo's distributor."""
    actor = await actor_of_key(conn, key, now)
    return actor is not None and (actor.organisation_id, actor.role) == (scene.DISTRIBUTOR.id, Role.ADMIN)


async def create_members(conn: Connection, fresh: Secrets, now: datetime) -> list[LoginEntry]:
    """Creates the members. Returns their entries for the key file."""
    operator = await operator_id(conn)
    for login in scene.LOGINS:
        # The actor is the organisation itself; its kind does not matter for its own members.
        actor = Actor.on_command_line(login.organisation_id or operator, Kind.DISTRIBUTOR)
        member = NewMember(login.email, login.role, fresh.hashes[login.email], login.name)
        await member_actions.create_team_member(conn, actor, member, now)
    return [_entry(login, fresh) for login in scene.LOGINS]


async def renew_passwords(conn: Connection, fresh: Secrets) -> list[LoginEntry]:
    """Sets new passwords for those of the members who still exist."""
    operator = Actor.on_command_line(await operator_id(conn), Kind.OPERATOR)
    renewed: list[LoginEntry] = []
    for login in scene.LOGINS:
        try:
            await credential_actions.set_member_password(conn, operator, login.email, fresh.hashes[login.email])
        except NotFound:
            continue
        renewed.append(_entry(login, fresh))
    return renewed


async def create_keys(conn: Connection, now: datetime) -> dict[str, str]:
    """Creates new keys, by their names in the key file, without those of closed organisations."""
    operator = Actor.on_command_line(await operator_id(conn), Kind.OPERATOR)
    made: dict[str, str] = {}
    for name, (organisation_id, role) in scene.KEYS.items():
        try:
            made[name], _ = await api_key_actions.create_key(
                conn, operator, organisation_id, NewKey(f"Demo: {name}", role), now
            )
        except NotFound:
            continue
    return made


def _entry(login: scene.Login, fresh: Secrets) -> LoginEntry:
    name = scene.NAMES[login.organisation_id] if login.organisation_id else scene.OPERATOR
    return LoginEntry(login.email, fresh.passwords[login.email], name, login.role)
