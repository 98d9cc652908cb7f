"""Members of all organisations: who can sign in, and help for those who cannot."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.console.organisation.members import member_routes
from tonnage.console.organisation.scope import Team
from tonnage.console.organisation.team_sessions import session_routes
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.members import MEMBERS_TABLE, TEAM_TABLE
from tonnage.db import Connection
from tonnage.members.lists import MEMBERS, member_rows
from tonnage.members.queries import TeamRow, team
from tonnage.organisations.organisation import no_organisation
from tonnage.organisations.queries import organisation_names
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

PATH = "/operator/members"
SESSIONS_PATH = "/operator/sessions"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def all_members(page: OperatorViewer) -> Response:
    """Searched by name, address or organisation."""
    state = read_list_state(MEMBERS, page.request.query_params)
    found = await page.database.run(member_rows, state)
    listed = MEMBERS_TABLE.paged(page, PATH, found, state, row_path=_row_path(page, PATH))
    return page.render("operator/members.html", list=listed)


@routes.get("/{organisationID}")
async def of_organisation(page: OperatorViewer, organisationID: UuidPath) -> Response:
    """The team of one."""

    async def read(conn: Connection) -> tuple[str, list[TeamRow]]:
        rows = await team(conn, None, organisationID)
        names = await organisation_names(conn, [str(organisationID)])
        if rows is None:
            raise no_organisation(organisationID)
        return names[str(organisationID)], rows

    name, rows = await page.database.run(read)
    path = f"{PATH}/{organisationID}"
    listed = TEAM_TABLE.whole(page, path, rows, row_path=_row_path(page, path))
    sessions_path = f"{SESSIONS_PATH}/{organisationID}"
    return page.render("operator/organisation.html", name=name, list=listed, sessions_path=sessions_path)


def _row_path(page: PageRequest, path: str) -> str | None:
    return f"{path}/" if page.actor.role is Role.ADMIN else None


async def _team(page: OperatorAdmin, organisationID: UuidPath) -> Team:
    names = await page.database.run(organisation_names, [str(organisationID)])
    if not names:
        raise no_organisation(organisationID)
    path = f"{PATH}/{organisationID}"
    crumbs = [(gettext("Members"), PATH), (names[str(organisationID)], path)]
    return Team(page, organisationID, path, f"{SESSIONS_PATH}/{organisationID}", crumbs)


member = member_routes(f"{PATH}/{{organisationID}}", changing=_team, removing=_team)
"""Each of them."""

sessions = session_routes(f"{SESSIONS_PATH}/{{organisationID}}", _team)
"""Where they are signed in."""
