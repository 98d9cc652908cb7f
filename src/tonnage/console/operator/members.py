"""Members of all organisations: who can sign in, and help for whoever cannot."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.member_queries import TeamRow, team
from tonnage.access.page_queries import MEMBERS, every_member
from tonnage.access.queries import organisation_names
from tonnage.console.own.members import Team, member_routes
from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorAdmin, OperatorViewer
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door

PATH = "/operator/members"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)


@routes.get("")
async def all_members(visit: OperatorViewer) -> Response:
    """Searched by name, address or organisation."""
    wanted = MEMBERS.read(visit.request.query_params)
    found = await visit.database.run(lambda conn: every_member(conn, None, wanted))
    return visit.page("operator/members.html", rows=found.rows, total=found.total, wanted=wanted.within(found.total))


@routes.get("/{organisationID}")
async def of_organisation(visit: OperatorViewer, organisationID: UuidPath) -> Response:
    """The team of one."""

    async def read(conn: Connection) -> tuple[str, list[TeamRow]]:
        rows = await team(conn, None, organisationID)
        names = await organisation_names(conn, [str(organisationID)])
        if rows is None:
            raise _no_organisation(organisationID)
        return names[str(organisationID)], rows

    name, rows = await visit.database.run(read)
    return visit.page("operator/organisation.html", name=name, rows=rows, path=f"{PATH}/{organisationID}")


async def _team(visit: OperatorAdmin, organisationID: UuidPath) -> Team:
    names = await visit.database.run(lambda conn: organisation_names(conn, [str(organisationID)]))
    if not names:
        raise _no_organisation(organisationID)
    path = f"{PATH}/{organisationID}"
    return Team(visit, organisationID, path, [(gettext("Members"), PATH), (names[str(organisationID)], path)])


member = member_routes(f"{PATH}/{{organisationID}}", changing=_team, removing=_team)
"""Each of them."""


def _no_organisation(organisation_id: UUID) -> NotFound:
    return NotFound("There is no organisation {organisation}.", organisation=organisation_id)
