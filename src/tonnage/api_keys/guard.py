"""Authentication dependencies. The type of a route's first parameter states who may call it: `DistributorStaff`."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import psycopg
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from tonnage.access.actor import Actor, Kind, Role, partner_suspended
from tonnage.api_keys.api_key import KnownKey
from tonnage.api_keys.key_cache import KeyCache
from tonnage.db import Database
from tonnage.db.connection_limits import count_for
from tonnage.error_codes import RequestCode
from tonnage.errors import Forbidden, TonnageError, Unauthenticated, Unavailable
from tonnage.passwords import Hashing, Requester
from tonnage.security_events.actions import record_refusal
from tonnage.services import Services
from tonnage.web.entity_tag import expected_revision
from tonnage.web.proxy_headers import client_address
from tonnage.web.routing import AuthDependency

_log = logging.getLogger(__name__)

_KEY = "tonnage.key"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An authenticated request: the actor, the time, and the services that handle it."""

    actor: Actor
    now: datetime
    services: Services
    request: Request

    @property
    def database(self) -> Database:
        """The connection pools."""
        return self.services.database

    @property
    def revision(self) -> int | None:
        """The revision in which the thing must be (If-Match); None if the change applies to any. Malformed."""
        return expected_revision(self.request.headers.getlist("if-match"))

    def hashing(self) -> AbstractAsyncContextManager[Hashing]:
        """See `Passwords.admit`."""
        requester = Requester.of(client_address(self.request.scope), self.actor.organisation_id)
        return self.services.passwords.admit(requester)


def set_actor(request: Request, actor: Actor) -> None:
    """The actor that was authenticated, for `record_forbidden`."""
    request.scope["state"]["actor"] = actor


async def record_forbidden(request: Request, error: Forbidden) -> None:
    """Counts that the actor of the request was not allowed to do something. The refusal itself never depends on it."""
    actor: Actor | None = request.scope["state"].get("actor")
    if actor is None:
        return
    services = services_of(request)
    try:
        await services.database.run(record_refusal, actor, str(error.code), services.wall_clock())
    except (psycopg.Error, Unavailable):
        _log.warning("could not count a refusal")


def services_of(request: Request) -> Services:
    """The process's services, for routes without authentication."""
    return request.app.state.services


async def admitted_key(scope: Scope) -> KnownKey:
    """The key of a request, which is looked up once. Raises Unauthenticated, Forbidden, and errors of the database."""
    found: KnownKey | Exception | None = scope.get(_KEY)
    if found is None:
        try:
            found = await _admit_key(scope)
        except (TonnageError, psycopg.Error) as error:
            found = error
        scope[_KEY] = found
    if isinstance(found, Exception):
        raise found
    return found


async def _admit_key(scope: Scope) -> KnownKey:
    given = Headers(scope=scope).getlist("authorization")
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthenticated("Authorization header is missing", RequestCode.AUTHORIZATION_MISSING)
    key_cache: KeyCache = scope["app"].state.key_cache
    return await key_cache.admit(key.strip())


async def _admit_anybody(request: Request) -> ApiRequest:
    actor = (await admitted_key(request.scope)).actor
    count_for(actor.organisation_id)
    set_actor(request, actor)
    if actor.suspension_reason is not None and request.method not in {"GET", "HEAD"}:
        raise partner_suspended(actor.suspension_reason)
    services = services_of(request)
    return ApiRequest(actor, await services.business_now(), services, request)


async def has_operators_key(request: Request) -> bool:
    """Whether a request that needs no key comes with an operator's. Raises Unauthenticated for what is no key."""
    if "authorization" not in request.headers:
        return False
    return (await _admit_anybody(request)).actor.kind is Kind.OPERATOR


def _admit(kind: Kind, role: Role) -> Callable[[Request], Awaitable[ApiRequest]]:
    async def admit(request: Request) -> ApiRequest:
        call = await _admit_anybody(request)
        call.actor.require(kind, role)
        return call

    return admit


async def _admit_any_admin(request: Request) -> ApiRequest:
    call = await _admit_anybody(request)
    call.actor.require(call.actor.kind, Role.ADMIN)
    return call


AnyViewer: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit_anybody, restricts=False))]
"""An organisation of any kind: every role may read."""
AnyAdmin: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit_any_admin))]
"""An organisation of any kind."""
OperatorViewer: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.OPERATOR, Role.VIEWER)))]
OperatorAdmin: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.OPERATOR, Role.ADMIN)))]
DistributorViewer: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.DISTRIBUTOR, Role.VIEWER)))]
DistributorStaff: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.DISTRIBUTOR, Role.STAFF)))]
DistributorAdmin: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.DISTRIBUTOR, Role.ADMIN)))]
PartnerViewer: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.PARTNER, Role.VIEWER)))]
PartnerStaff: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.PARTNER, Role.STAFF)))]
PartnerAdmin: TypeAlias = Annotated[ApiRequest, Depends(AuthDependency(_admit(Kind.PARTNER, Role.ADMIN)))]
