"""The access keys of a storage account, and making one."""

from starlette.responses import Response

from tonnage.access_keys.access_key import CreatedKey
from tonnage.access_keys.actions import create_key
from tonnage.access_keys.disclosure import hide_operator_details
from tonnage.access_keys.lists import AccessKeyRow, access_keys_of
from tonnage.accounts.account_queries import AccountDetail
from tonnage.console.accounts.scope import AccountContext
from tonnage.db import Connection
from tonnage.errors import Unavailable
from tonnage.storage.backend import MAX_ACCESS_KEYS
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.schemas import Name


class NewAccessKeyForm(Form):
    """What it is for; distinguishes it from the others."""

    description: Name | None = None


async def show(context: AccountContext) -> Response:
    """All of them, without their secrets."""

    async def read(conn: Connection) -> tuple[AccountDetail, list[AccessKeyRow]]:
        account = await context.found(conn)
        return account, await access_keys_of(conn, context.scope, context.partner_id, context.account_id)

    account, keys = await context.page.database.run(read)
    return context.render("accounts/keys.html", account, keys=keys, most=MAX_ACCESS_KEYS)


async def ask(context: AccountContext) -> Response:
    """The empty form."""
    return await _page(context, unbound(NewAccessKeyForm))


async def create(context: AccountContext) -> Response:
    """The key with its secret: this page is the only one that ever shows it. Waits for the cluster, 10 seconds."""
    page = context.page
    form = bind(NewAccessKeyForm, page.fields)

    async def act(values: NewAccessKeyForm) -> CreatedKey:
        with hide_operator_details(context.account_id):
            return await create_key(
                page.services,
                page.actor,
                context.partner_id,
                context.account_id,
                values.description,
            )

    try:
        made = await form.submit(act)
    except Unavailable as error:
        form.errors[""] = error
        return await _page(context, form, 503)
    if made is None:
        return await _page(context, form)
    return context.render("accounts/key_created.html", await context.account(), made=made.pair)


async def _page(context: AccountContext, form: BoundForm[NewAccessKeyForm], status: int | None = None) -> Response:
    return context.render("accounts/new_key.html", await context.account(), status=status or form.status, form=form)
