"""A member's own password."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.passwords import member_password
from tonnage.access.profile_actions import change_own_password
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyMember, Visit
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Text
from tonnage.web.route import Door

routes = APIRouter(prefix="/profile/password", route_class=Door, include_in_schema=False)


class OwnPasswordForm(Form):
    """The present one proves that it is not somebody at a desk that was left."""

    current: Text
    new: Annotated[Text, AfterValidator(member_password)]


@routes.get("")
async def ask(visit: AnyMember) -> Response:
    """The form."""
    return _page(visit, blank(OwnPasswordForm))


@routes.post("")
async def change(visit: AnyMember) -> Response:
    """The same page, and all other sessions have ended."""
    form = fill(OwnPasswordForm, visit.fields)
    token = await form.submit(lambda typed: _change(visit, typed), about="current")
    if token is None:
        return _page(visit, form)
    response = visit.see("/profile/password", gettext("Your password was changed. Your other sessions have ended."))
    visit.cookies.set_session(response, token)
    return response


async def _change(visit: Visit, typed: OwnPasswordForm) -> str:
    passwords = visit.resources.passwords
    return await change_own_password(
        visit.database, passwords, visit.visitor, typed.current, typed.new, visit.client, visit.now
    )


def _page(visit: Visit, form: Filled[OwnPasswordForm]) -> Response:
    status = form.status if form.errors else 200
    return visit.page("profile/password.html", status=status, headers=form.headers, form=form)
