"""The cap of a storage account's overdraft or pay-per-use: for its partner alone, as it can be an amount of money."""

from starlette.responses import Response

from tonnage.accounts.account_queries import AccountDetail
from tonnage.console import overdraft_cap_form
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.overdraft_cap_form import OverdraftCapForm
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.overdraft_caps.actions import cap_of_account, remove_of_account, set_of_account
from tonnage.overdraft_caps.queries import PresentCap
from tonnage.web.forms import BoundForm


async def show(context: AccountContext) -> Response:
    """The form, with the cap that there is."""
    return await _page(context, None)


async def change(context: AccountContext) -> Response:
    """Back to the account."""
    page = context.page
    form = overdraft_cap_form.bound(page)

    async def act(values: OverdraftCapForm) -> object:
        run, actor, seen = page.database.run, page.actor, overdraft_cap_form.seen(page)
        if (cap := values.cap) is None:
            return await run(remove_of_account, actor, context.account_id, expected=seen)
        return await run(set_of_account, actor, context.account_id, cap, page.business_now, expected=seen)

    await form.submit(act, about="limit", fields=overdraft_cap_form.FIELDS)
    if form.errors:
        return await _page(context, form)
    return page.redirect(context.path, gettext("Changes saved"))


async def _page(context: AccountContext, form: BoundForm[OverdraftCapForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[AccountDetail, PresentCap]:
        account = await context.found(conn)
        return account, await cap_of_account(conn, context.page.actor, context.account_id)

    account, present = await context.page.database.run(read)
    return context.render(
        "accounts/overdraft_cap.html",
        account,
        status=form.status if form else 200,
        form=form or overdraft_cap_form.filled(context.page, present.cap),
        seen=present.seen,
        units=overdraft_cap_form.units(pay_per_use=account.allocated == 0),
    )
