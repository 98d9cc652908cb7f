"""An organisation's own team."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.second_factor_actions import NO_KEYS, require_second_factor
from tonnage.console.organisation.members import Team, member_routes
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.tables.members import TEAM_TABLE
from tonnage.console.wording.catalogue import N_
from tonnage.errors import Conflict
from tonnage.members.queries import TeamRow, team
from tonnage.web.routing import AuthFirstRoute

PATH = "/team"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def members_list(page: AnyAdmin) -> Response:
    """All of them: teams are small."""
    listed = TEAM_TABLE.whole(page, PATH, await _rows(page), row_path=f"{PATH}/")
    return page.render("organisation/team.html", list=listed, can_require=page.services.key_file is not None)


@routes.get("/second-factor/required")
@routes.post("/second-factor/required")
async def require(page: AnyAdmin) -> Response:
    """Asks before everybody needs a second factor."""
    return await _require(page, required=True)


@routes.get("/second-factor/optional")
@routes.post("/second-factor/optional")
async def release(page: AnyAdmin) -> Response:
    """Asks before nobody needs one any more."""
    return await _require(page, required=False)


async def _own(page: AnyAdmin) -> Team:
    return Team(page, page.actor.organisation_id, "/team", [(gettext("Team"), "/team")])


member = member_routes("/team", changing=_own, removing=_own)
"""Each of them."""


async def _rows(page: PageRequest) -> list[TeamRow]:
    own = page.actor.organisation_id
    return await page.database.run(team, own, own) or []


async def _require(page: PageRequest, *, required: bool) -> Response:
    key_file = page.services.key_file
    if page.request.method == "POST":
        await page.database.run(require_second_factor, key_file, page.actor, required)
        told = N_("Everybody needs a second factor now.") if required else N_("Nobody needs a second factor any more.")
        return page.redirect("/team", gettext(told))
    if required and key_file is None:
        raise Conflict(NO_KEYS)
    without = [row for row in await _rows(page) if not row.has_second_factor]
    return page.render("organisation/factor_required.html", required=required, without=without)
