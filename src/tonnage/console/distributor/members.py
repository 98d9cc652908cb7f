"""The members of a partner, for its distributor."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.console.distributor.partner import crumbs_to, facts_of, partner_page, path_of
from tonnage.console.organisation.members import member_routes
from tonnage.console.organisation.scope import Team
from tonnage.console.organisation.team_sessions import session_routes
from tonnage.console.page_request import DistributorAdmin, DistributorStaff, DistributorViewer, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.members import TEAM_TABLE
from tonnage.db import Connection
from tonnage.members.queries import TeamRow, team
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

_PREFIX = "/distributor/partners/{partnerID}/members"

routes = APIRouter(prefix=_PREFIX, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def members(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """In order of creation."""

    async def read(conn: Connection) -> tuple[PartnerDetail, list[TeamRow]]:
        facts = await facts_of(conn, page, partnerID)
        return facts, await team(conn, page.actor.organisation_id, partnerID) or []

    facts, rows = await page.database.run(read)
    path = f"{path_of(partnerID)}/members"
    row_path = f"{path}/" if page.actor.role.includes(Role.STAFF) else None
    return partner_page(
        page, "distributor/members.html", facts, list=TEAM_TABLE.whole(page, path, rows, row_path=row_path)
    )


async def _for_staff(page: DistributorStaff, partnerID: UuidPath) -> Team:
    return await _team(page, partnerID)


async def _for_admin(page: DistributorAdmin, partnerID: UuidPath) -> Team:
    return await _team(page, partnerID)


async def _team(page: PageRequest, partner_id: UUID) -> Team:
    """NotFound: the visitor's organisation has no such partner; it is none of its own."""
    facts = await page.database.run(facts_of, page, partner_id)
    path = f"{path_of(partner_id)}/members"
    crumbs = [*crumbs_to(facts), (gettext("Members"), path)]
    return Team(page, partner_id, path, f"{path_of(partner_id)}/sessions", crumbs)


sessions = session_routes("/distributor/partners/{partnerID}/sessions", _for_staff)
"""Where they are signed in."""

member = member_routes(_PREFIX, changing=_for_staff, removing=_for_admin)
"""Each of them. A partner's only admin is removed as well: its distributor can add another one."""
