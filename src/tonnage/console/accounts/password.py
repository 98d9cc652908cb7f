"""A new password for the owner of a storage account."""

from typing import Annotated

from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.passwords import account_password
from tonnage.accounts.change_actions import set_password
from tonnage.console.accounts.place import Place
from tonnage.console.rendering import gettext
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Text


class PasswordForm(Form):
    """Typed once; who mistypes sets another one."""

    password: Annotated[Text, AfterValidator(account_password)]


async def ask(place: Place) -> Response:
    """The empty form."""
    return await _page(place, blank(PasswordForm))


async def change(place: Place) -> Response:
    """Back to the account."""
    visit = place.visit
    form = fill(PasswordForm, visit.fields)

    async def act(typed: PasswordForm) -> None:
        hashed = await visit.resources.passwords.hash(typed.password)
        await visit.database.run(
            lambda conn: set_password(conn, visit.actor, place.partner_id, place.account_id, hashed)
        )

    await form.submit(act)
    if form.errors:
        return await _page(place, form, form.status)
    return visit.see(place.path, gettext("The password was set."))


async def _page(place: Place, form: Filled[PasswordForm], status: int = 200) -> Response:
    return place.page("accounts/password.html", await place.account(), status=status, form=form)
