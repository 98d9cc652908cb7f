"""Links of mails: the token moves into a cookie at once, since addresses stay in histories and logs.

Opening a link uses nothing up, since mail programs open links, too.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from tonnage.console.cookies import Cookies
from tonnage.console.page_context import PageContext


def move_token(request: Request, path: str, token: str, valid_for: timedelta) -> Response:
    """On to the page at `path`, whose address is without the token. Whether the token is valid is said there."""
    cookies = Cookies(request)
    response = PageContext(request, None, "", cookies).redirect(path)
    response.headers["Referrer-Policy"] = "no-referrer"
    cookies.set_link(response, path, token, valid_for)
    return response
