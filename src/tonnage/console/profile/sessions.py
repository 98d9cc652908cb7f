"""Where a member is signed in."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.session_queries import sessions_of
from tonnage.console.page_request import AnyMember
from tonnage.console.profile.user_agent import describe_user_agent
from tonnage.console.rendering import gettext
from tonnage.errors import NotFound
from tonnage.security_events.security_log import log_event
from tonnage.sessions.queries import end_sessions
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

_PATH = "/profile/sessions"

routes = APIRouter(prefix=_PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def show(page: AnyMember) -> Response:
    """All of them, this one marked."""
    idle, member_id = page.services.sign_in.idle, page.visitor.member_id
    found = await page.database.run(sessions_of, member_id, page.wall_now, idle)
    rows = [
        (session, describe_user_agent(session.user_agent), session.id == page.visitor.session_id) for session in found
    ]
    return page.render("profile/sessions.html", rows=rows, idle_minutes=int(idle.total_seconds() // 60))


@routes.post("/others/end")
async def end_all_others(page: AnyMember) -> Response:
    """All but this one."""
    visitor = page.visitor
    await page.database.run(end_sessions, visitor.member_id, page.actor.stamp, but=visitor.session_id)
    log_event("member.end-sessions", page.actor.organisation_id, member=visitor.member_id)
    return page.redirect(_PATH, gettext("Other sessions ended"))


@routes.post("/{sessionID}/end")
async def end(page: AnyMember, sessionID: UuidPath) -> Response:
    """One of the member's own; ending the session of the request signs out."""
    member_id = page.visitor.member_id
    if not await page.database.run(end_sessions, member_id, page.actor.stamp, only=sessionID):
        raise NotFound("This session has already ended.")
    log_event("member.end-sessions", page.actor.organisation_id, member=member_id)
    return page.redirect(_PATH, gettext("Session ended"))
