"""Test data: members who sign in."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from pyotp.totp import TOTP

from tests.cast import NOW, Cast, with_role
from tests.clocks import clocks
from tonnage.access.actor import Actor, Role
from tonnage.authentication import credential_actions, second_factor_actions, session_queries, sign_in_actions
from tonnage.authentication.second_factor import Enrolment
from tonnage.authentication.session import ClientInfo, SignedInMember
from tonnage.authentication.sign_in_actions import SignedIn
from tonnage.db import Database
from tonnage.mail import Mailer, Message
from tonnage.members import actions as member_actions
from tonnage.members.member import NewMember
from tonnage.passwords import Passwords
from tonnage.regions.backends import OpenBackends
from tonnage.sealing import create_key_file
from tonnage.services import ServiceOptions, Services
from tonnage.tokens import digest

WORD = "Sesame-opens-1"
OTHER_WORD = "Sesame-closes-2"
IDLE = timedelta(minutes=30)


def cheap() -> Passwords:
    """Bound to the event loop of a test."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def client(address: str | None = None) -> ClientInfo:
    """With a unique address, so that tests do not block each other."""
    some = uuid.uuid4().hex
    return ClientInfo(address or f"fd{some[:2]}:{some[2:6]}:{some[6:10]}:{some[10:14]}::1", "Mozilla/5.0 (test)")


@dataclass
class Person:
    """A member whose password is `WORD`."""

    database: Database
    id: UUID
    email: str
    actor: Actor
    client: ClientInfo = field(default_factory=client)

    async def sign_in(self, password: str = WORD, now: datetime = NOW, *, at: ClientInfo | None = None) -> SignedIn:
        return await sign_in_actions.sign_in(self.database, cheap(), self.email, password, at or self.client, now)

    async def visit(self, token: str, now: datetime = NOW) -> SignedInMember | None:
        return await self.database.run(session_queries.find_session, digest(token), now, IDLE)

    async def signed_in_member(self, now: datetime = NOW) -> SignedInMember:
        visitor = await self.visit((await self.sign_in(now=now)).token, now)
        assert visitor is not None
        return visitor

    async def begin(
        self, keys: Path | None, visitor: SignedInMember, password: str = WORD, now: datetime = NOW
    ) -> Enrolment:
        return await credential_actions.begin_second_factor(
            self.database, cheap(), keys, visitor, password, self.client, now
        )

    async def enrol(self, keys: Path, now: datetime = NOW) -> tuple[TOTP, list[str], str]:
        """Returns the authenticator app, the recovery codes and the session's token."""
        visitor = await self.signed_in_member(now)
        begun = await self.begin(keys, visitor, now=now)
        app = TOTP(begun.seed)
        token, codes = await self.database.transaction(
            second_factor_actions.confirm_enrolment, keys, visitor, app.at(now), now
        )
        return app, codes, token

    async def give_code(
        self, keys: Path, token: str, code: str, now: datetime, *, at: ClientInfo | None = None
    ) -> SignedIn:
        visitor = await self.visit(token, now)
        assert visitor is not None
        return await sign_in_actions.submit_code(self.database, keys, visitor, code, at or self.client, now)


async def person(cast: Cast, actor: Actor, role: Role = Role.ADMIN, name: str | None = None) -> Person:
    """A new member of the actor's organisation."""
    email = f"p{uuid.uuid4().hex[:12]}@example.org"
    details = NewMember(email, role, await cheap().hash(WORD), name)
    admin = with_role(actor, Role.ADMIN)
    made = await cast.database.run(member_actions.create_team_member, admin, details, cast.now)
    return Person(cast.database, made.id, email, Actor(actor.organisation_id, actor.kind, role, "member", made.id))


def services_of(person: Person, read: Callable[[], datetime], mailer: Mailer | None = None) -> Services:
    """The services of the person's jobs, at the time that `read` returns."""
    options: ServiceOptions = {**clocks(read)}
    if mailer:
        options["mailer"] = mailer
    return Services(person.database, OpenBackends(person.database, None), **options)


def key_file(folder: Path) -> Path:
    """A new key file in `folder`."""
    create_key_file(folder / "secret.key")
    return folder / "secret.key"


@dataclass
class FakeOutbox:
    """A mailer that keeps the messages, or raises `fails`."""

    sent: list[Message] = field(default_factory=list[Message])
    fails: Exception | None = None
    delivers: bool = True

    async def send(self, message: Message) -> bool:
        if self.fails:
            raise self.fails
        self.sent.append(message)
        return True
