"""Where a member is signed in."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.session_queries import end_others, end_session, sessions_of
from tonnage.console.profile.agents import in_words
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyMember
from tonnage.errors import NotFound
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door

_PATH = "/profile/sessions"

routes = APIRouter(prefix=_PATH, route_class=Door, include_in_schema=False)


@routes.get("")
async def show(visit: AnyMember) -> Response:
    """All of them, this one marked."""
    idle, member_id = visit.resources.sign_in.idle, visit.visitor.member_id
    found = await visit.database.run(lambda conn: sessions_of(conn, member_id, visit.now, idle))
    rows = [(session, in_words(session.agent), session.id == visit.visitor.session_id) for session in found]
    return visit.page("profile/sessions.html", rows=rows, idle_minutes=int(idle.total_seconds() // 60))


@routes.post("/others/end")
async def end_all_others(visit: AnyMember) -> Response:
    """All but this one."""
    visitor = visit.visitor
    await visit.database.run(lambda conn: end_others(conn, visitor.member_id, visitor.session_id))
    return visit.see(_PATH, gettext("Your other sessions have ended."))


@routes.post("/{sessionID}/end")
async def end(visit: AnyMember, sessionID: UuidPath) -> Response:
    """One of the member's own; whoever ends this one is out."""
    if not await visit.database.run(lambda conn: end_session(conn, visit.visitor.member_id, sessionID)):
        raise NotFound("There is no such session; it has ended already.")
    return visit.see(_PATH, gettext("The session has ended."))
