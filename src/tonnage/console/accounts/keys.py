"""The access keys of a storage account, and making one."""

import json

from starlette.responses import Response

from tonnage.accounts.discretion import discreet
from tonnage.accounts.facts_queries import AccountFacts, KeyRow, account_keys
from tonnage.accounts.key_actions import create_key
from tonnage.console.accounts.place import Place
from tonnage.db import Connection
from tonnage.errors import Unavailable
from tonnage.storage.plane import MAX_ACCESS_KEYS
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Name


class NewKeyForm(Form):
    """What it is for, for whoever must tell it from the others."""

    description: Name | None = None


async def show(place: Place) -> Response:
    """All of them, without their secrets."""

    async def read(conn: Connection) -> tuple[AccountFacts, list[KeyRow]]:
        account = await place.found(conn)
        return account, await account_keys(conn, place.scope, place.partner_id, place.account_id)

    account, keys = await place.visit.database.run(read)
    return place.page("accounts/keys.html", account, keys=keys, most=MAX_ACCESS_KEYS)


async def ask(place: Place) -> Response:
    """The empty form."""
    return await _page(place, blank(NewKeyForm))


async def create(place: Place) -> Response:
    """The key with its secret: this page is the only one that ever shows it. Waits for the cluster, 10 seconds."""
    visit = place.visit
    form = fill(NewKeyForm, visit.fields)

    async def act(typed: NewKeyForm) -> bytes:
        planes = visit.request.app.state.planes
        with discreet(place.account_id):
            return await create_key(
                visit.database,
                planes,
                visit.actor,
                place.partner_id,
                place.account_id,
                typed.description,
                visit.resources.clock,
            )

    try:
        made = await form.submit(act)
    except Unavailable as error:
        form.errors[""] = error
        return await _page(place, form, 503)
    if made is None:
        return await _page(place, form, form.status)
    return place.page("accounts/key_made.html", await place.account(), made=json.loads(made))


async def _page(place: Place, form: Filled[NewKeyForm], status: int = 200) -> Response:
    return place.page("accounts/key_new.html", await place.account(), status=status, form=form)
