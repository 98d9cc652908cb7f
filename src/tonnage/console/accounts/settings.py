"""Changing a storage account's name and capacity, with the way to what else can be done to it."""

from typing import ClassVar

from starlette.responses import Response

from tonnage.accounts.account import AccountChange, PartnerRemaining
from tonnage.accounts.account_queries import AccountDetail
from tonnage.accounts.actions import no_account
from tonnage.accounts.change_actions import change_account
from tonnage.accounts.queries import partner_remaining
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.edit_conflict import allowed, explain, size_or_pay_per_use
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, unbound_edit
from tonnage.web.forms import Checkbox
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.schemas import Name


class ChangeForm(EditForm):
    """All that can be changed at once."""

    names: ClassVar = {"allocated": "allocatedCapacity", "overdraft": "allowOverdraft"}

    name: Name | None = None
    allocated: Size | None = None
    overdraft: Checkbox | None = None


async def show(context: AccountContext) -> Response:
    """The form as the account is."""
    return await _page(context, None)


async def change(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = bind_edit(ChangeForm, page.fields, page.formats.number_format)

    async def act(values: ChangeForm, seen: ChangeForm) -> object:
        wanted, expected = (AccountChange(form.name, form.allocated, form.overdraft) for form in (values, seen))
        return await page.database.run(
            change_account,
            page.actor,
            context.partner_id,
            context.account_id,
            wanted,
            page.business_now,
            expected=expected,
        )

    await form.apply(act)
    if form.errors:
        return await _page(context, form)
    return page.redirect(context.path, gettext("Changes saved"))


async def _page(context: AccountContext, form: BoundEdit[ChangeForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[AccountDetail, PartnerRemaining]:
        account = await context.found(conn)
        room = await partner_remaining(conn, context.scope, context.partner_id, context.account_id)
        if room is None:
            raise no_account(context.account_id)
        return account, room

    account, room = await context.page.database.run(read)
    if form is not None:
        writers = {"allocated": size_or_pay_per_use, "overdraft": allowed}
        await explain(context.page, ChangeForm, form, _texts(context, account), context.account_id, writers)
    return context.render(
        "accounts/settings.html",
        account,
        status=form.status if form else 200,
        form=form or unbound_edit(ChangeForm, _texts(context, account)),
        room=room,
        remaining=max(0, room.allocated - room.allocated_to_accounts) if room.bounded else None,
    )


def _texts(context: AccountContext, account: AccountDetail) -> dict[str, str]:
    """What stands in the form."""
    size = typed_size("allocated", account.allocated, context.page.formats.number_format)
    return {"name": account.name, **size, "overdraft": "on" if account.overdraft else ""}
