"""Deleting an access key of a storage account."""

from starlette.responses import Response

from tonnage.access_keys.actions import delete_key, no_key
from tonnage.access_keys.disclosure import hide_operator_details
from tonnage.access_keys.lists import AccessKeyRow, access_keys_of
from tonnage.accounts.lists import AccountDetail
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import Unavailable
from tonnage.web.forms import BoundForm, Form, bind, unbound


async def ask(context: AccountContext) -> Response:
    """What it means for whoever uses it."""
    return await _asking(context, None)


async def delete(context: AccountContext) -> Response:
    """Back to the keys. Waits for the cluster, 10 seconds."""
    page = context.page
    form = bind(Form, page.fields)

    async def act(_: Form) -> None:
        with hide_operator_details(context.account_id):
            await delete_key(
                page.services,
                page.actor,
                context.partner_id,
                context.account_id,
                _named(context),
            )

    try:
        await form.submit(act)
    except Unavailable as error:
        form.errors[""] = error
        return await _asking(context, form, 503)
    if form.errors:
        return await _asking(context, form, form.status)
    return page.redirect(f"{context.path}/access-keys", gettext("The access key was deleted."))


def _named(context: AccountContext) -> str:
    return context.page.request.path_params["accessKey"]


async def _asking(context: AccountContext, form: BoundForm[Form] | None, status: int = 200) -> Response:
    async def read(conn: Connection) -> tuple[AccountDetail, AccessKeyRow | None]:
        account = await context.found(conn)
        keys = await access_keys_of(conn, context.scope, context.partner_id, context.account_id)
        return account, next((key for key in keys if key.access_key == _named(context)), None)

    account, key = await context.page.database.run(read)
    if key is None:
        raise no_key(context.account_id)
    sentences = [gettext("Whatever uses it fails from its next request on. It cannot be brought back.")]
    if key.description:
        sentences.insert(0, gettext("It was made for: %(description)s") % {"description": key.description})
    return context.render(
        "components/confirm.html",
        account,
        status=status,
        title=gettext("Delete access key %(key)s") % {"key": key.access_key},
        crumbs=[*context.crumbs(account), (gettext("Access keys"), f"{context.path}/access-keys")],
        sentences=sentences,
        form=form or unbound(Form),
        button=gettext("Delete access key"),
        danger=True,
        cancel=f"{context.path}/access-keys",
    )
