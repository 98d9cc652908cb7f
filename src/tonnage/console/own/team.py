"""An organisation's own team."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.factor_actions import NO_KEYS, require_second_factor
from tonnage.access.member_queries import TeamRow, team
from tonnage.console.own.members import Team, member_routes
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyAdmin, Visit
from tonnage.console.wording.catalogue import N_
from tonnage.errors import Conflict
from tonnage.web.route import Door

routes = APIRouter(prefix="/team", route_class=Door, include_in_schema=False)


@routes.get("")
async def members_list(visit: AnyAdmin) -> Response:
    """All of them: teams are small."""
    can_require = visit.resources.key_file is not None
    return visit.page("own/team.html", rows=await _rows(visit), can_require=can_require)


@routes.get("/second-factor/required")
@routes.post("/second-factor/required")
async def require(visit: AnyAdmin) -> Response:
    """Asks before everybody needs a second factor."""
    return await _require(visit, required=True)


@routes.get("/second-factor/optional")
@routes.post("/second-factor/optional")
async def release(visit: AnyAdmin) -> Response:
    """Asks before nobody needs one any more."""
    return await _require(visit, required=False)


async def _own(visit: AnyAdmin) -> Team:
    return Team(visit, visit.actor.organisation_id, "/team", [(gettext("Team"), "/team")])


member = member_routes("/team", changing=_own, removing=_own)
"""Each of them."""


async def _rows(visit: Visit) -> list[TeamRow]:
    own = visit.actor.organisation_id
    return await visit.database.run(lambda conn: team(conn, own, own)) or []


async def _require(visit: Visit, *, required: bool) -> Response:
    key_file = visit.resources.key_file
    if visit.request.method == "POST":
        await visit.database.run(lambda conn: require_second_factor(conn, key_file, visit.actor, required))
        told = N_("Everybody needs a second factor now.") if required else N_("Nobody needs a second factor any more.")
        return visit.see("/team", gettext(told))
    if required and key_file is None:
        raise Conflict(NO_KEYS)
    without = [row for row in await _rows(visit) if not row.has_second_factor]
    return visit.page("own/factor_required.html", required=required, without=without)
