"""Who may come through a door. A door says whom it lets in by the type of its first parameter: `DistributorStaff`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

from fastapi import Depends
from starlette.requests import Request

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.keyring import Keyring
from tonnage.access.passwords import Passwords
from tonnage.clock import Clock
from tonnage.db import Database
from tonnage.errors import Unauthenticated
from tonnage.web.client import Networks
from tonnage.web.route import Early


@dataclass(frozen=True)
class SignInSettings:
    """What signing in to the console depends on."""

    idle: timedelta = timedelta(minutes=30)
    """After which an unused session ends."""
    public_url: str | None = None
    """Where people find the console, without a slash at its end; links in mails begin with it."""
    trusted_proxies: Networks = ()
    """Whose word on the client's address counts."""


BY_DEFAULT = SignInSettings()


@dataclass(frozen=True)
class Resources:
    """What the process holds for its requests: `app.state.resources`."""

    database: Database
    keyring: Keyring
    passwords: Passwords
    clock: Clock
    deletion_grace_days: int
    key_file: Path | None = None
    """The keys that seal secrets; without them none can be sealed."""
    sign_in: SignInSettings = BY_DEFAULT


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request: who calls, when, and what it takes to answer."""

    actor: Actor
    now: datetime
    resources: Resources

    @property
    def database(self) -> Database:
        """The pools."""
        return self.resources.database


def resources_of(request: Request) -> Resources:
    """The process's resources, for the doors that need no key."""
    return request.app.state.resources


async def _admit_anybody(request: Request) -> Call:
    given = request.headers.getlist("authorization")
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthenticated("Authorization header is missing")
    resources = resources_of(request)
    actor = await resources.keyring.admit(key.strip())
    return Call(actor, resources.clock(), resources)


def _admit(kind: Kind, role: Role) -> Callable[[Request], Awaitable[Call]]:
    async def admit(request: Request) -> Call:
        call = await _admit_anybody(request)
        call.actor.require(kind, role)
        return call

    return admit


AnyViewer: TypeAlias = Annotated[Call, Depends(Early(_admit_anybody, forbids=False))]
"""Of whatever kind: every role reads."""
OperatorViewer: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.OPERATOR, Role.VIEWER)))]
DistributorViewer: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.DISTRIBUTOR, Role.VIEWER)))]
DistributorStaff: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.DISTRIBUTOR, Role.STAFF)))]
DistributorAdmin: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.DISTRIBUTOR, Role.ADMIN)))]
PartnerViewer: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.PARTNER, Role.VIEWER)))]
PartnerStaff: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.PARTNER, Role.STAFF)))]
PartnerAdmin: TypeAlias = Annotated[Call, Depends(Early(_admit(Kind.PARTNER, Role.ADMIN)))]
