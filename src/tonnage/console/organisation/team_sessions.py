"""Where the members of an organisation are signed in, and the end of their sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.scope import Team, TeamGuard, changeable_member, is_self
from tonnage.console.profile.user_agent import describe_user_agent
from tonnage.console.rendering import gettext
from tonnage.console.tables.sessions import SESSIONS_TABLE
from tonnage.members.member import require_role
from tonnage.sessions.actions import end_session, end_sessions, no_session
from tonnage.sessions.lists import SESSIONS, find_member_session, session_rows
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath


def session_routes(prefix: str, guard: TeamGuard) -> APIRouter:
    """The list of a team's sessions, at `prefix`, and the end of one."""
    routes = APIRouter(prefix=prefix, route_class=AuthFirstRoute, include_in_schema=False)

    async def listed(team: Annotated[Team, Depends(guard)]) -> Response:
        return await _sessions(team)

    async def end(team: Annotated[Team, Depends(guard)], sessionID: UuidPath) -> Response:
        return await _end_one(team, sessionID)

    routes.add_api_route("", listed, methods=["GET"])
    for method in ("GET", "POST"):
        routes.add_api_route("/{sessionID}/end", end, methods=[method])
    return routes


async def _sessions(team: Team) -> Response:
    """Of all members, the last used first."""
    page, state = team.page, read_list_state(SESSIONS, team.page.request.query_params)
    idle = page.services.sign_in.idle
    found = await page.database.run(session_rows, team.organisation_id, page.wall_now, idle, state)
    listed = SESSIONS_TABLE.paged(
        page,
        team.sessions_path,
        found,
        state,
        row_path=f"{team.path}/",
        role=page.actor.role,
        browser=describe_user_agent,
    )
    return page.render(
        "organisation/sessions.html", list=listed, team=team, idle_minutes=int(idle.total_seconds() // 60)
    )


async def _end_one(team: Team, session_id: UUID) -> Response:
    """Ends one session, wherever it is."""
    page, path = team.page, team.sessions_path
    row = await page.database.run(
        find_member_session, team.organisation_id, session_id, page.wall_now, page.services.sign_in.idle
    )
    if row is None:
        raise no_session(session_id)
    require_role(page.actor, row.role)
    name = row.name or row.email

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("End session of %(name)s") % {"name": name},
            crumbs=[*team.crumbs, (gettext("Sessions"), path)],
            sentences=[
                gettext("%(browser)s, %(address)s, last used %(ago)s.")
                % {
                    "browser": describe_user_agent(row.user_agent),
                    "address": row.ip_address,
                    "ago": page.formats.ago(row.last_seen_at, page.wall_now),
                },
                gettext("%(name)s is signed out there immediately, and can sign in again.") % {"name": name},
            ],
            button=gettext("End session"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        await page.database.run(end_session, page.actor, team.organisation_id, session_id)

    return await confirm(page, ask, act, done=path, notice=gettext("Session ended"))


async def end_all(team: Team, member_id: UUID) -> Response:
    """Ends all sessions of a member; of the reader's own all but this one."""
    page, row = team.page, await changeable_member(team, member_id)
    path, name, own = f"{team.path}/{member_id}", row.name or row.email, is_self(team.page, row)

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("End sessions of %(name)s") % {"name": name},
            crumbs=[*team.crumbs, (name, path)],
            sentences=[
                gettext("Your other sessions end immediately. This one stays.")
                if own
                else gettext("%(name)s is signed out everywhere immediately, and can sign in again.") % {"name": name},
                gettext("To keep the member out, lock the login or set a new password."),
            ],
            button=gettext("End sessions"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        but = page.visitor.session_id if own else None
        await page.database.run(end_sessions, page.actor, team.organisation_id, member_id, but=but)

    return await confirm(page, ask, act, done=path, notice=gettext("Sessions ended"))
