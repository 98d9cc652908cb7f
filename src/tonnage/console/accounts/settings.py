"""Changing a storage account's name and capacity, with the way to what else can be done to it."""

from starlette.responses import Response

from tonnage.accounts.account import AccountChange, PartnerRemaining
from tonnage.accounts.actions import no_account
from tonnage.accounts.change_actions import change_account
from tonnage.accounts.lists import AccountDetail
from tonnage.accounts.queries import partner_remaining
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.web.forms import BoundForm, Checkbox, Form, Size, bind, typed_size, unbound
from tonnage.web.schemas import Name


class ChangeForm(Form):
    """All that can be changed at once."""

    name: Name
    allocated: Size
    overdraft: Checkbox = False


async def show(context: AccountContext) -> Response:
    """The form as the account is."""
    return await _page(context, None)


async def change(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = bind(ChangeForm, page.fields)

    async def act(typed: ChangeForm) -> bytes:
        wanted = AccountChange(typed.name, typed.allocated, typed.overdraft)
        return await page.database.run(
            lambda conn: change_account(conn, page.actor, context.partner_id, context.account_id, wanted, page.now)
        )

    await form.submit(act, fields={"allocatedCapacity": "allocated"})
    if form.errors:
        return await _page(context, form)
    return page.redirect(context.path, gettext("The storage account was changed."))


async def _page(context: AccountContext, form: BoundForm[ChangeForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[AccountDetail, PartnerRemaining]:
        account = await context.found(conn)
        room = await partner_remaining(conn, context.scope, context.partner_id, context.account_id)
        if room is None:
            raise no_account(context.account_id)
        return account, room

    account, room = await context.page.database.run(read)
    return context.render(
        "accounts/settings.html",
        account,
        status=form.status if form else 200,
        form=form or _as_is(account),
        room=room,
        remaining=max(0, room.allocated - room.allocated_to_accounts) if room.bounded else None,
    )


def _as_is(account: AccountDetail) -> BoundForm[ChangeForm]:
    typed = {"name": account.name, **typed_size("allocated", account.allocated)}
    return unbound(ChangeForm, **typed, **({"overdraft": "on"} if account.overdraft else {}))
