"""Who may open a page. A page says whom it lets in by the type of its first parameter: `DistributorStaff`.

No session: on to the sign-in page. Another audience's page: not found. Too low a role: forbidden. A form must carry the
token of its session.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated, TypeAlias
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request

from tonnage.access.actor import Actor, Kind, Role
from tonnage.access.guard import Resources, resources_of
from tonnage.access.session import Stage, Visitor, digest
from tonnage.access.session_queries import find_visitor
from tonnage.console.cookies import Cookies
from tonnage.console.rendering import speak_to
from tonnage.console.view import View
from tonnage.errors import Forbidden, NotFound
from tonnage.web import csrf
from tonnage.web.forms import read_form
from tonnage.web.route import Early

STALE_FORM = "This form was not sent by a page of this session; open the page again and repeat what you did."


class SignInWanted(Exception):
    """There is no session that opens this page; `path` is where to get one."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class Visit(View):
    """One admitted request of a member: who, when, what was sent, and what it takes to answer."""

    visitor: Visitor
    now: datetime
    resources: Resources
    fields: Mapping[str, str]
    """Of the form; empty for a page that is only looked at."""

    @property
    def actor(self) -> Actor:
        """For actions."""
        return self.visitor.actor

    @property
    def today(self) -> date:
        """In UTC, by whose days usage is counted."""
        return self.now.astimezone(UTC).date()


async def find(request: Request, cookies: Cookies) -> tuple[str, Visitor] | None:
    """The token of the request's session, and whose it is, at whatever stage; None without a living session."""
    token = cookies.session()
    if token is None:
        return None
    resources = resources_of(request)
    visitor = await resources.database.run(
        lambda conn: find_visitor(conn, digest(token), resources.clock(), resources.sign_in.idle)
    )
    return (token, visitor) if visitor else None


async def own_form(request: Request, *secrets: str) -> dict[str, str]:
    """The fields of a form that a page of ours has sent. Forbidden: another site, or a page of another session.

    `secrets`: the cookies that the form may be bound to.
    """
    if request.method != "POST":
        return {}
    fields = await read_form(request)
    given = fields.get(csrf.FIELD, "")
    if not any(csrf.is_ours(secret, given, request.headers) for secret in secrets):
        raise Forbidden(STALE_FORM)
    return fields


async def _enter(request: Request, stages: tuple[Stage, ...]) -> Visit:
    cookies = Cookies(request)
    found = await find(request, cookies)
    if found is None:
        raise SignInWanted(f"/sign-in?{urlencode({'next': _wanted(request)})}")
    token, visitor = found
    if visitor.stage not in stages:
        raise SignInWanted("/sign-in/code" if visitor.stage is Stage.CODE else "/profile/second-factor")
    resources = resources_of(request)
    visit = Visit(request, visitor, token, cookies, resources.clock(), resources, {})
    request.state.visit = visit  # for the page that says no
    speak_to(visit)
    return replace(visit, fields=await own_form(request, token))


def _wanted(request: Request) -> str:
    # A form that was sent too late is to be opened again, not sent again. A part of a page is no page.
    if "hx-request" in request.headers or request.method != "GET":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _entering(kind: Kind | None, role: Role) -> Callable[[Request], Awaitable[Visit]]:
    async def enter(request: Request) -> Visit:
        visit = await _enter(request, (Stage.OPEN,))
        if kind not in {None, visit.actor.kind}:
            raise NotFound("There is no such page.")
        if not visit.actor.role.includes(role):
            raise Forbidden(
                "This page needs the role {needed}, and yours is {role}.",
                needed=role.value,
                role=visit.actor.role.value,
            )
        return visit

    return enter


async def _enrolling(request: Request) -> Visit:
    return await _enter(request, (Stage.OPEN, Stage.ENROLMENT))


AnyMember: TypeAlias = Annotated[Visit, Depends(Early(_entering(None, Role.VIEWER)))]
AnyAdmin: TypeAlias = Annotated[Visit, Depends(Early(_entering(None, Role.ADMIN)))]
EnrollingMember: TypeAlias = Annotated[Visit, Depends(Early(_enrolling))]
"""Also one who must first set up a second factor."""
OperatorViewer: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.OPERATOR, Role.VIEWER)))]
OperatorStaff: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.OPERATOR, Role.STAFF)))]
OperatorAdmin: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.OPERATOR, Role.ADMIN)))]
DistributorViewer: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.DISTRIBUTOR, Role.VIEWER)))]
DistributorStaff: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.DISTRIBUTOR, Role.STAFF)))]
DistributorAdmin: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.DISTRIBUTOR, Role.ADMIN)))]
PartnerViewer: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.PARTNER, Role.VIEWER)))]
PartnerStaff: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.PARTNER, Role.STAFF)))]
PartnerAdmin: TypeAlias = Annotated[Visit, Depends(Early(_entering(Kind.PARTNER, Role.ADMIN)))]
