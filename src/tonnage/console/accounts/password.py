"""A new password for the owner of a storage account."""

from typing import Annotated

from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.accounts.actions import require_account
from tonnage.accounts.change_actions import set_password
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.rendering import gettext
from tonnage.password_rules import account_password
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.schemas import Text


class AccountPasswordForm(Form):
    """Typed once; who mistypes sets another one."""

    password: Annotated[Text, AfterValidator(account_password)]


async def ask(context: AccountContext) -> Response:
    """The empty form."""
    return await _page(context, unbound(AccountPasswordForm))


async def change(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = bind(AccountPasswordForm, page.fields)

    async def act(values: AccountPasswordForm) -> None:
        async with page.hashing() as hashing:
            await page.database.run(require_account, page.actor, context.partner_id, context.account_id)
            hashed = await hashing.hash(values.password)
        await page.database.run(set_password, page.actor, context.partner_id, context.account_id, hashed)

    await form.submit(act)
    if form.errors:
        return await _page(context, form)
    return page.redirect(context.path, gettext("Password set"))


async def _page(context: AccountContext, form: BoundForm[AccountPasswordForm]) -> Response:
    return context.render(
        "accounts/password.html", await context.account(), status=form.status, headers=form.headers, form=form
    )
