"""Where the link of a mail leads: choosing a new password."""

import hmac
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from tonnage.authentication.mails import NEW_PASSWORD
from tonnage.authentication.reset_actions import VALID_FOR, reset_password, valid_reset
from tonnage.authentication.reset_queries import Reset
from tonnage.console.rendering import gettext
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.console.sign_in.mailed_link import move_token
from tonnage.errors import NotFound
from tonnage.password_rules import member_password, require_impersonal
from tonnage.passwords import Requester
from tonnage.tokens import digest
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

routes = APIRouter(prefix=NEW_PASSWORD, route_class=AuthFirstRoute, include_in_schema=False)


class NewPasswordForm(Form):
    """Typed once: after a typing error, another link can be requested."""

    password: Annotated[Text, AfterValidator(member_password)]


@routes.get("/{token}")
async def open_link(request: Request, token: str) -> Response:
    """On to the form."""
    return move_token(request, NEW_PASSWORD, token, VALID_FOR)


@routes.get("")
async def ask(guest: Anybody) -> Response:
    """The form, or that the link is worth nothing."""
    token = guest.cookies.link(NEW_PASSWORD)
    if token is None or await guest.database.run(valid_reset, token, guest.wall_now) is None:
        return _worthless(guest)
    return _page(guest, token, unbound(NewPasswordForm))


@routes.post("")
async def choose(guest: Anybody) -> Response:
    """On to the sign-in with the new password."""
    token = guest.cookies.link(NEW_PASSWORD)
    # Hashing is expensive: not without a valid link.
    reset = await guest.database.run(valid_reset, token, guest.wall_now) if token else None
    if token is None or reset is None:
        return _worthless(guest)
    # The browser has one cookie, however many links are open: nobody sets the password of another link's member.
    if not hmac.compare_digest(_mark(token).encode(), guest.fields.get("link", "").encode()):
        return guest.render("sign_in/other_reset_link.html", status=409)
    form = bind(NewPasswordForm, guest.fields)
    try:
        chosen = await form.submit(lambda values: _choose(guest, token, reset, values))
    except NotFound:
        return _worthless(guest)
    if chosen is None:
        return _page(guest, token, form)
    response = guest.redirect(
        "/sign-in", gettext("Password changed, all sessions ended: sign in with the new password")
    )
    guest.cookies.end_link(response, NEW_PASSWORD)
    guest.cookies.set_device(response, chosen)
    return response


async def _choose(guest: Guest, token: str, reset: Reset, values: NewPasswordForm) -> str:
    require_impersonal(values.password, reset.email, reset.organisation)
    async with guest.services.passwords.admit(Requester.of(guest.client.address)) as hashing:
        password_hash = await hashing.hash(values.password)
    return await guest.database.transaction(reset_password, token, password_hash, guest.client, guest.wall_now)


def _page(guest: Guest, token: str, form: BoundForm[NewPasswordForm]) -> Response:
    return guest.render(
        "sign_in/new_password.html", status=form.status, headers=form.headers, form=form, link=_mark(token)
    )


def _worthless(guest: Guest) -> Response:
    return guest.render(
        "sign_in/invalid_reset_link.html", status=404, kept=guest.cookies.link(NEW_PASSWORD) is not None
    )


def _mark(token: str) -> str:
    """Says of which link a form is, and nothing of the token."""
    return digest(token).hex()[:16]
