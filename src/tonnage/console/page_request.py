"""Who may open a page. A page says whom it lets in by the type of its first parameter: `DistributorStaff`.

No session: on to the sign-in page. Another audience's page: not found. Too low a role: forbidden. A form must carry the
token of its session.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request

from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys.guard import services_of, set_actor
from tonnage.authentication.credential_actions import reauthenticate
from tonnage.authentication.session import SignedInMember, Stage
from tonnage.authentication.session_queries import find_session
from tonnage.console.cookies import Cookies
from tonnage.console.page_context import PageContext
from tonnage.console.rendering import use_context
from tonnage.db import Connection
from tonnage.db.connection_limits import count_for
from tonnage.error_codes import RequestCode
from tonnage.errors import (
    Conflict,
    Forbidden,
    NotFound,
    ReauthenticationRequired,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from tonnage.events.event_feed import FeedReader
from tonnage.notifications.inbox_queries import unread
from tonnage.passwords import Hashing, Requester
from tonnage.security_events.actions import record_export
from tonnage.services import Services
from tonnage.tokens import digest
from tonnage.utc import day_of
from tonnage.web import csrf, kept_form
from tonnage.web.body import MAX_BODY
from tonnage.web.forms import read_form
from tonnage.web.routing import AuthDependency

PROOF = "proof"
"""The field of the password or code that confirms who the member is: see reauthentication.py."""

STALE_FORM = "This form does not belong to your current session. Open the page again and repeat the change."


class SignInRequired(Exception):
    """There is no session that opens this page; `path` is where to get one."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class PageRequest(PageContext):
    """One admitted request of a member: who, when, what was sent, and what it takes to answer."""

    visitor: SignedInMember
    business_now: datetime
    """The time of the request by the business clock, for what is billed: a sandbox may move it."""
    services: Services
    fields: Mapping[str, str]
    """Of the form; empty for a page that is only looked at."""

    @property
    def actor(self) -> Actor:
        """For actions."""
        return self.visitor.actor

    @property
    def today(self) -> date:
        """In UTC, by whose days usage is counted."""
        return day_of(self.business_now)

    async def record_export(self, name: str) -> None:
        """Before the reader is given a file with that name."""
        await self.database.run(record_export, self.actor, self.actor.organisation_id, name)

    def hashing(self) -> AbstractAsyncContextManager[Hashing]:
        """See `Passwords.admit`."""
        return self.services.passwords.admit(Requester.of(self.client.address, self.actor.organisation_id))


async def find_signed_in(request: Request, cookies: Cookies) -> tuple[str, SignedInMember] | None:
    """The token of the request's session, and its member, at any stage; None without a valid session."""
    token = cookies.session()
    if token is None:
        return None
    services = services_of(request)
    visitor = await services.database.run(find_session, digest(token), services.wall_clock(), services.sign_in.idle)
    return (token, visitor) if visitor else None


async def _find_reader(request: Request, cookies: Cookies) -> tuple[str, SignedInMember, int] | None:
    """The same, with how many events are unread, if that is shown: on the connection that is at hand."""
    token, services = cookies.session(), services_of(request)
    if token is None:
        return None
    is_shown = request.method == "GET" and "hx-request" not in request.headers

    async def read(conn: Connection) -> tuple[SignedInMember | None, int]:
        visitor = await find_session(conn, digest(token), services.wall_clock(), services.sign_in.idle)
        if visitor is None or visitor.stage is not Stage.OPEN or not is_shown:
            return visitor, 0
        return visitor, await unread(conn, FeedReader.of(visitor.actor), visitor.member_id)

    visitor, count = await services.database.run(read)
    return (token, visitor, count) if visitor else None


async def verified_form(request: Request, *secrets: str, most: int = MAX_BODY) -> dict[str, str]:
    """The fields of a form that a page of ours has sent. Forbidden: another site, or a page of another session.

    `secrets`: the cookies that the form may be bound to. `most`: the largest body, in bytes.
    """
    if request.method != "POST":
        return {}
    fields = await read_form(request, most)
    given = fields.get(csrf.FIELD, "")
    if not any(csrf.is_ours(secret, given, request.headers) for secret in secrets):
        raise Forbidden(STALE_FORM, RequestCode.FORM_OUTDATED)
    return fields


async def _signed_in(request: Request, stages: tuple[Stage, ...]) -> PageRequest:
    cookies = Cookies(request)
    found = await _find_reader(request, cookies)
    if found is None:
        raise SignInRequired(f"/sign-in?{urlencode({'next': _return_path(request)})}")
    token, visitor, count = found
    count_for(visitor.actor.organisation_id)
    set_actor(request, visitor.actor)
    if visitor.stage not in stages:
        raise SignInRequired("/sign-in/code" if visitor.stage is Stage.CODE else "/profile/second-factor")
    services = services_of(request)
    page = PageRequest(request, visitor, token, cookies, await services.business_now(), services, {}, unread=count)
    page.attach()
    use_context(page)
    return page


async def _with_form(page: PageRequest) -> PageRequest:
    fields = await verified_form(page.request, page.secret)
    page = replace(page, fields=fields)
    if kept_form.FIELD in fields:
        page = await _reauthenticated(page, fields[kept_form.FIELD], fields.get(PROOF, ""))
    page.attach()
    return page


async def _reauthenticated(page: PageRequest, sealed: str, proof: str) -> PageRequest:
    """The request with the fields of the form that waited for the proof, as if they had been sent just now."""
    fields = kept_form.unseal(page.secret, page.path, sealed)
    if fields is None:
        raise Forbidden(STALE_FORM, RequestCode.FORM_OUTDATED)
    page = replace(page, fields=fields)
    page.attach()
    if not proof:
        raise ReauthenticationRequired
    services = page.services
    try:
        await reauthenticate(
            page.database, services.passwords, services.key_file, page.visitor, proof, page.client, page.wall_now
        )
    except (Conflict, Throttled, Unauthenticated, Unavailable) as error:
        raise ReauthenticationRequired(error) from error
    actor = replace(page.actor, must_reauthenticate=False)
    return replace(page, visitor=replace(page.visitor, actor=actor))


def _return_path(request: Request) -> str:
    # A form that was sent too late is to be opened again, not sent again. A part of a page is no page.
    if "hx-request" in request.headers or request.method != "GET":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _guard(kind: Kind | None, role: Role) -> Callable[[Request], Awaitable[PageRequest]]:
    async def enter(request: Request) -> PageRequest:
        page = await _signed_in(request, (Stage.OPEN,))
        if kind not in {None, page.actor.kind}:
            raise NotFound("There is no page at this address. Check the address, or go to the start page.")
        if not page.actor.role.includes(role):
            raise Forbidden(
                "This page needs the role {needed}. Your role is {role}.",
                RequestCode.ROLE_TOO_LOW,
                needed=role.value,
                role=page.actor.role.value,
            )
        return await _with_form(page)

    return enter


async def _enrolment_guard(request: Request) -> PageRequest:
    return await _with_form(await _signed_in(request, (Stage.OPEN, Stage.ENROLMENT)))


AnyMember: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(None, Role.VIEWER)))]
AnyAdmin: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(None, Role.ADMIN)))]
EnrollingMember: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_enrolment_guard))]
"""Also one who must first set up a second factor."""
OperatorViewer: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.OPERATOR, Role.VIEWER)))]
OperatorStaff: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.OPERATOR, Role.STAFF)))]
OperatorAdmin: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.OPERATOR, Role.ADMIN)))]
DistributorViewer: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.DISTRIBUTOR, Role.VIEWER)))]
DistributorStaff: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.DISTRIBUTOR, Role.STAFF)))]
DistributorAdmin: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.DISTRIBUTOR, Role.ADMIN)))]
PartnerViewer: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.PARTNER, Role.VIEWER)))]
PartnerStaff: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.PARTNER, Role.STAFF)))]
PartnerAdmin: TypeAlias = Annotated[PageRequest, Depends(AuthDependency(_guard(Kind.PARTNER, Role.ADMIN)))]
