"""Asking for a link to choose a new password. The answer is the same whether anybody has the address or not."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.mails import FORGOTTEN
from tonnage.authentication.reset_actions import request_reset
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Email

_ASKED = f"{FORGOTTEN}/asked"

routes = APIRouter(route_class=AuthFirstRoute, include_in_schema=False)


class ForgottenForm(Form):
    """Where to send the link."""

    email: Email


@routes.get(FORGOTTEN)
async def ask(guest: Anybody) -> Response:
    """The form."""
    return _page(guest, unbound(ForgottenForm))


@routes.post(FORGOTTEN)
async def send(guest: Anybody) -> Response:
    """On to the page that says what happens now."""
    form = bind(ForgottenForm, guest.fields)
    asked = await form.submit(lambda values: _ask(guest, values))
    return guest.redirect(_ASKED) if asked else _page(guest, form)


@routes.get(_ASKED)
async def asked(guest: Anybody) -> Response:
    """The answer."""
    return guest.render("sign_in/reset_link_sent.html")


async def _ask(guest: Guest, values: ForgottenForm) -> bool:
    await guest.database.run(request_reset, values.email, guest.client, guest.wall_now)
    return True


def _page(guest: Guest, form: BoundForm[ForgottenForm]) -> Response:
    return guest.render("sign_in/forgotten.html", status=form.status, headers=form.headers, form=form)
