"""A member's own password."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.authentication.credential_actions import change_own_password
from tonnage.authentication.sign_in_actions import SignedIn
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.password_rules import member_password
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

routes = APIRouter(prefix="/profile/password", route_class=AuthFirstRoute, include_in_schema=False)


class OwnPasswordForm(Form):
    """The present password protects against another person at an unattended session."""

    current: Text
    new: Annotated[Text, AfterValidator(member_password)]


@routes.get("")
async def ask(page: AnyMember) -> Response:
    """The form."""
    return _page(page, unbound(OwnPasswordForm))


@routes.post("")
async def change(page: AnyMember) -> Response:
    """The same page, and all other sessions have ended."""
    form = bind(OwnPasswordForm, page.fields)
    signed_in = await form.submit(lambda values: _change(page, values), about="current")
    if signed_in is None:
        return _page(page, form)
    response = page.redirect("/profile/password", gettext("Password changed, other sessions ended"))
    page.cookies.set_session(response, signed_in.token)
    page.cookies.set_device(response, signed_in.device)
    return response


async def _change(page: PageRequest, values: OwnPasswordForm) -> SignedIn:
    passwords = page.services.passwords
    return await change_own_password(
        page.database, passwords, page.visitor, values.current, values.new, page.client, page.wall_now
    )


def _page(page: PageRequest, form: BoundForm[OwnPasswordForm]) -> Response:
    return page.render("profile/password.html", status=form.status, headers=form.headers, form=form)
