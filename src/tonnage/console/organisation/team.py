"""An organisation's own team."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.second_factor_actions import NO_KEYS, require_second_factor
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.organisation.members import member_routes
from tonnage.console.organisation.scope import Team
from tonnage.console.organisation.team_sessions import session_routes
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext, ngettext
from tonnage.console.tables.members import TEAM_TABLE
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.members.queries import TeamRow, team
from tonnage.web.routing import AuthFirstRoute
from tonnage.wording.catalogue import N_

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
    return Team(page, page.actor.organisation_id, PATH, f"{PATH}/sessions", [(gettext("Team"), PATH)])


member = member_routes(PATH, changing=_own, removing=_own)
"""Each of them."""

sessions = session_routes(f"{PATH}/sessions", _own)
"""Where they are signed in."""


async def _rows(page: PageRequest) -> list[TeamRow]:
    own = page.actor.organisation_id
    return await page.database.run(team, own, own) or []


async def _require(page: PageRequest, *, required: bool) -> Response:
    key_file = page.services.key_file

    async def act() -> None:
        await page.database.run(require_second_factor, key_file, page.actor, required)

    notice = (
        N_("Two-factor authentication required for everyone")
        if required
        else N_("Two-factor authentication made optional")
    )
    ask = _requirement if required else _release
    return await confirm(page, lambda: ask(page), act, done=PATH, notice=gettext(notice))


async def _requirement(page: PageRequest) -> Confirmation:
    if page.services.key_file is None:
        raise Conflict(NO_KEYS, ConflictCode.NO_SECRET_KEY)
    without = [row for row in await _rows(page) if not row.has_second_factor]
    who_lacks_one = ngettext(
        "%(num)s member has not set it up yet and must do so before opening another page, also in open sessions:",
        "%(num)s members have not set it up yet and must do so before opening another page, also in open sessions:",
        len(without),
    ) % {"num": page.formats.number(len(without))}
    you = gettext("You")
    return Confirmation(
        title=gettext("Require two-factor authentication"),
        crumbs=[(gettext("Team"), PATH)],
        sentences=[
            gettext(
                "Everyone in the team then signs in with a password and a code from an authenticator app. API keys "
                "are not affected."
            ),
            who_lacks_one if without else gettext("All members already use it, so nothing changes for them."),
        ],
        items=[
            f"{row.name or row.email} ({you})" if row.id == page.visitor.member_id else row.name or row.email
            for row in without
        ],
        button=gettext("Require for everyone"),
        cancel=PATH,
    )


async def _release(_: PageRequest) -> Confirmation:
    return Confirmation(
        title=gettext("Make two-factor authentication optional"),
        crumbs=[(gettext("Team"), PATH)],
        sentences=[
            gettext(
                "Members no longer need two-factor authentication. Those who use it keep it, and can remove it in "
                "their profile."
            )
        ],
        button=gettext("Make optional"),
        cancel=PATH,
    )
