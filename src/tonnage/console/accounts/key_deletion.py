"""Deleting an access key of a storage account."""

from starlette.responses import Response

from tonnage.access_keys.access_key import no_key
from tonnage.access_keys.actions import delete_key
from tonnage.access_keys.disclosure import hide_operator_details
from tonnage.access_keys.lists import AccessKeyRow, access_keys_of
from tonnage.accounts.account_queries import AccountDetail
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.rendering import gettext
from tonnage.db import Connection


async def delete(context: AccountContext) -> Response:
    """Waits for the cluster, 10 seconds."""
    page, back = context.page, f"{context.path}/access-keys"
    access_key: str = page.request.path_params["accessKey"]

    async def act() -> None:
        with hide_operator_details(context.account_id):
            await delete_key(page.services, page.actor, context.partner_id, context.account_id, access_key)

    notice = gettext("Access key deleted")
    return await confirm(page, lambda: _question(context, access_key, back), act, done=back, notice=notice)


async def _question(context: AccountContext, access_key: str, back: str) -> Confirmation:
    async def read(conn: Connection) -> tuple[AccountDetail, AccessKeyRow | None]:
        account = await context.found(conn)
        keys = await access_keys_of(conn, context.scope, context.partner_id, context.account_id)
        return account, next((key for key in keys if key.access_key == access_key), None)

    account, key = await context.page.database.run(read)
    if key is None:
        raise no_key(context.account_id)
    sentences = [gettext("Clients that use this key fail from their next request. You cannot undo this.")]
    if not key.is_made_here:
        sentences.insert(0, gettext("This key was not created in Tonnage. Make sure that nobody needs it any more."))
    if key.description:
        sentences.insert(0, gettext("Description: %(description)s") % {"description": key.description})
    return Confirmation(
        title=gettext("Delete access key %(key)s") % {"key": key.access_key},
        crumbs=[*context.crumbs(account), (gettext("Access keys"), back)],
        sentences=sentences,
        button=gettext("Delete access key"),
        danger=True,
        cancel=back,
    )
