"""A link by mail that makes a browser a known device, for a member whose address others guess passwords at.

Opening it uses nothing up: the button does. The answer to asking for one is the same whether anybody has the address or
not.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tonnage.authentication.reset_actions import request_link
from tonnage.console.rendering import gettext
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.console.sign_in.mailed_link import move_token
from tonnage.devices.actions import use_link
from tonnage.devices.device import LINK, LINK_VALID_FOR, OPEN_LINK
from tonnage.devices.queries import is_valid_link
from tonnage.errors import NotFound
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Email

_ASKED = f"{LINK}/asked"

routes = APIRouter(route_class=AuthFirstRoute, include_in_schema=False)


class LinkForm(Form):
    """Where to send the link."""

    email: Email


@routes.get(LINK)
async def ask(guest: Anybody) -> Response:
    """The form."""
    return _page(guest, unbound(LinkForm))


@routes.post(LINK)
async def send(guest: Anybody) -> Response:
    """On to the page that says what happens now."""
    form = bind(LinkForm, guest.fields)
    asked = await form.submit(lambda values: _ask(guest, values))
    return guest.redirect(_ASKED) if asked else _page(guest, form)


@routes.get(_ASKED)
async def asked(guest: Anybody) -> Response:
    """The answer."""
    return guest.render("sign_in/device_link_sent.html")


@routes.get(f"{OPEN_LINK}/{{token}}")
async def open_link(request: Request, token: str) -> Response:
    """On to the page that asks."""
    return move_token(request, OPEN_LINK, token, LINK_VALID_FOR)


@routes.get(OPEN_LINK)
async def opened(guest: Anybody) -> Response:
    """Asks whether to sign in in this browser, or says that the link is worth nothing."""
    token = guest.cookies.link(OPEN_LINK)
    if token is None or not await guest.database.run(is_valid_link, token, guest.wall_now):
        return _worthless(guest)
    return guest.render("sign_in/device_link_opened.html")


@routes.post(OPEN_LINK)
async def use(guest: Anybody) -> Response:
    """On to the sign-in, in a browser that is known."""
    token = guest.cookies.link(OPEN_LINK) or ""
    try:
        device = await guest.database.transaction(use_link, token, guest.cookies.device(), guest.wall_now)
    except NotFound:
        return _worthless(guest)
    response = guest.redirect("/sign-in", gettext("You can sign in here now"))
    guest.cookies.end_link(response, OPEN_LINK)
    guest.cookies.set_device(response, device)
    return response


async def _ask(guest: Guest, values: LinkForm) -> bool:
    await guest.database.run(request_link, values.email, guest.client, guest.wall_now)
    return True


def _page(guest: Guest, form: BoundForm[LinkForm]) -> Response:
    return guest.render("sign_in/device_link.html", status=form.status, headers=form.headers, form=form)


def _worthless(guest: Guest) -> Response:
    return guest.render("sign_in/invalid_device_link.html", status=404)
