"""The members of a partner, whom its distributor looks after."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.member_queries import TeamRow, team
from tonnage.console.distributor.partner import crumbs_to, facts_of, partner_page, path_of
from tonnage.console.own.members import Team, member_routes
from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorAdmin, DistributorStaff, DistributorViewer, Visit
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerFacts
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door

_PREFIX = "/distributor/partners/{partnerID}/users"

routes = APIRouter(prefix=_PREFIX, route_class=Door, include_in_schema=False)


@routes.get("")
async def users(visit: DistributorViewer, partnerID: UuidPath) -> Response:
    """In order of creation."""

    async def read(conn: Connection) -> tuple[PartnerFacts, list[TeamRow]]:
        facts = await facts_of(conn, visit, partnerID)
        return facts, await team(conn, visit.actor.organisation_id, partnerID) or []

    facts, rows = await visit.database.run(read)
    return partner_page(visit, "distributor/users.html", facts, rows=rows)


async def _for_staff(visit: DistributorStaff, partnerID: UuidPath) -> Team:
    return await _team(visit, partnerID)


async def _for_admin(visit: DistributorAdmin, partnerID: UuidPath) -> Team:
    return await _team(visit, partnerID)


async def _team(visit: Visit, partner_id: UUID) -> Team:
    """NotFound: the visitor's organisation has no such partner; it is none of its own."""
    facts = await visit.database.run(lambda conn: facts_of(conn, visit, partner_id))
    path = f"{path_of(partner_id)}/users"
    return Team(visit, partner_id, path, [*crumbs_to(facts), (gettext("Users"), path)])


user = member_routes(_PREFIX, changing=_for_staff, removing=_for_admin)
"""Each of them. A partner's only admin is removed as well: its distributor can add another one."""
