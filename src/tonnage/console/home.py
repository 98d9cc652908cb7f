"""The first address, and what belongs to no audience."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tonnage.console.cookies import Cookies, Theme
from tonnage.console.navigation import home
from tonnage.console.page_request import AnyMember, verified_form
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("/")
async def start(page: AnyMember) -> Response:
    """On to the page that the member begins with."""
    return page.redirect(home(page.actor))


@routes.post("/theme")
async def choose_theme(request: Request) -> Response:
    """Light, dark, or as the system prefers; with a session or without."""
    cookies = Cookies(request)
    fields = await verified_form(request, cookies.session() or "", cookies.guest() or "")
    response = RedirectResponse(path_within(fields.get("back", "/")), 303)
    wanted = fields.get("theme")
    cookies.set_theme(response, Theme(wanted) if wanted in list(Theme) else None)
    return response


def path_within(text: str) -> str:
    """The path and query of an address of ours; `/` for anything that could lead elsewhere."""
    # Browsers read a backslash as a slash, and pass over line ends and tabs: `/\t/elsewhere` would be another host's.
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_ours else "/"
