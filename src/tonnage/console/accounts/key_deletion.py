"""Deleting an access key of a storage account."""

from starlette.responses import Response

from tonnage.accounts.discretion import discreet
from tonnage.accounts.facts_queries import AccountFacts, KeyRow, account_keys
from tonnage.accounts.key_actions import delete_key, no_key
from tonnage.console.accounts.place import Place
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.errors import Unavailable
from tonnage.web.forms import Filled, Form, blank, fill


async def ask(place: Place) -> Response:
    """What it means for whoever uses it."""
    return await _asking(place, None)


async def delete(place: Place) -> Response:
    """Back to the keys. Waits for the cluster, 10 seconds."""
    visit = place.visit
    form = fill(Form, visit.fields)

    async def act(_: Form) -> None:
        planes = visit.request.app.state.planes
        with discreet(place.account_id):
            await delete_key(
                visit.database,
                planes,
                visit.actor,
                place.partner_id,
                place.account_id,
                _named(place),
                visit.resources.clock,
            )

    try:
        await form.submit(act)
    except Unavailable as error:
        form.errors[""] = error
        return await _asking(place, form, 503)
    if form.errors:
        return await _asking(place, form, form.status)
    return visit.see(f"{place.path}/access-keys", gettext("The access key was deleted."))


def _named(place: Place) -> str:
    return place.visit.request.path_params["accessKey"]


async def _asking(place: Place, form: Filled[Form] | None, status: int = 200) -> Response:
    async def read(conn: Connection) -> tuple[AccountFacts, KeyRow | None]:
        account = await place.found(conn)
        keys = await account_keys(conn, place.scope, place.partner_id, place.account_id)
        return account, next((key for key in keys if key.access_key == _named(place)), None)

    account, key = await place.visit.database.run(read)
    if key is None:
        raise no_key(place.account_id)
    sentences = [gettext("Whatever uses it fails from its next request on. It cannot be brought back.")]
    if key.description:
        sentences.insert(0, gettext("It was made for: %(description)s") % {"description": key.description})
    return place.page(
        "components/confirm.html",
        account,
        status=status,
        title=gettext("Delete access key %(key)s") % {"key": key.access_key},
        crumbs=[*place.crumbs(account), (gettext("Access keys"), f"{place.path}/access-keys")],
        sentences=sentences,
        form=form or blank(Form),
        button=gettext("Delete access key"),
        danger=True,
        cancel=f"{place.path}/access-keys",
    )
