"""Where the link of a mail leads: choosing a new password.

Opening it uses nothing up, since mail programs open links, too. The token is in the path: no page says it to another.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.authentication.mails import NEW_PASSWORD
from tonnage.authentication.reset_actions import reset_password, valid_reset
from tonnage.console.rendering import gettext
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.errors import NotFound
from tonnage.passwords import Requester, member_password
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

_SILENT = {"Referrer-Policy": "no-referrer"}

routes = APIRouter(prefix=f"{NEW_PASSWORD}/{{token}}", route_class=AuthFirstRoute, include_in_schema=False)


class NewPasswordForm(Form):
    """Typed once: after a typing error, another link can be requested."""

    password: Annotated[Text, AfterValidator(member_password)]


@routes.get("")
async def ask(guest: Anybody, token: str) -> Response:
    """The form, or that the link is worth nothing."""
    if await guest.database.run(valid_reset, token, guest.wall_now) is None:
        return _worthless(guest)
    return _page(guest, unbound(NewPasswordForm))


@routes.post("")
async def choose(guest: Anybody, token: str) -> Response:
    """On to the sign-in with the new password."""
    # Hashing is expensive: not without a valid link.
    if await guest.database.run(valid_reset, token, guest.wall_now) is None:
        return _worthless(guest)
    form = bind(NewPasswordForm, guest.fields)
    try:
        chosen = await form.submit(lambda values: _choose(guest, token, values))
    except NotFound:
        return _worthless(guest)
    if chosen is None:
        return _page(guest, form)
    return guest.redirect("/sign-in", gettext("Password changed, all sessions ended: sign in with the new password"))


async def _choose(guest: Guest, token: str, values: NewPasswordForm) -> bool:
    async with guest.services.passwords.admit(Requester.of(guest.client.address)) as hashing:
        password_hash = await hashing.hash(values.password)
    await guest.database.transaction(reset_password, token, password_hash, guest.client, guest.wall_now)
    return True


def _page(guest: Guest, form: BoundForm[NewPasswordForm]) -> Response:
    return guest.render("sign_in/new_password.html", status=form.status, headers={**form.headers, **_SILENT}, form=form)


def _worthless(guest: Guest) -> Response:
    return guest.render("sign_in/invalid_reset_link.html", status=404, headers=_SILENT)
