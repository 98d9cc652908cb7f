"""What a page says when it cannot be shown: the same refusals as the API's, for people."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from tonnage.console.cookies import Cookies
from tonnage.console.page_context import PageContext
from tonnage.console.page_request import SignInRequired
from tonnage.web.problem import NO_ROUTE
from tonnage.web.routing import route_of
from tonnage.wording.catalogue import N_

NO_PAGE = N_("There is no page at this address. Check the address, or go to the start page.")

_TITLES = {
    403: N_("Not allowed"),
    404: N_("Not found"),
    409: N_("Not possible right now"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong"),
    503: N_("Temporarily unavailable"),
}
"""What the page says about a status; about any other, that the request was not understood."""

_NOT_UNDERSTOOD = N_("Invalid request")

_OF_THE_API = ("/v1/", "/ext/", "/swagger/", "/static/", "/openapi.json", "/metrics", "/healthz", "/readyz")


def is_console_path(scope: Scope) -> bool:
    """Whether a request was for a page: it came to one, or comes from a browser and to nothing else that there is."""
    route = route_of(scope)
    if route is not None:
        return route.endpoint.__module__.startswith("tonnage.console.")
    accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accepted and not scope["path"].startswith(_OF_THE_API)


def error_page(scope: Scope, status: int, detail: str) -> Response:
    """A page with the sentence `detail`, in the console's frame where there is a session."""
    request = Request(scope)
    if detail == NO_ROUTE:
        detail = NO_PAGE
    cookies = Cookies(request)
    page = PageContext.of(scope) or PageContext(request, None, cookies.session() or cookies.guest() or "", cookies)
    request_id = scope.get("state", {}).get("request_id", "")
    title = _TITLES.get(status, _NOT_UNDERSTOOD)
    return page.render(
        "components/error_page.html", status=status, title=title, code=status, detail=detail, request_id=request_id
    )


async def redirect_to_sign_in(request: Request, error: Exception) -> Response:
    """On to the sign-in page; for a part of a page, the whole page goes there."""
    if not isinstance(error, SignInRequired):
        raise error
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": error.path})
    return RedirectResponse(error.path, 303)
