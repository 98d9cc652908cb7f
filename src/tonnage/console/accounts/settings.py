"""Changing a storage account's name and capacity, with the way to what else can be done to it."""

from starlette.responses import Response

from tonnage.accounts.account import AccountChange, PartnerRoom
from tonnage.accounts.actions import no_account
from tonnage.accounts.change_actions import change_account
from tonnage.accounts.facts_queries import AccountFacts
from tonnage.accounts.queries import partner_room
from tonnage.console.accounts.place import Place
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.web.forms import Checkbox, Filled, Form, Size, blank, fill, typed_size
from tonnage.web.payload import Name


class ChangeForm(Form):
    """All that can be changed at once."""

    name: Name
    allocated: Size
    overdraft: Checkbox = False


async def show(place: Place) -> Response:
    """The form as the account is."""
    return await _page(place, None)


async def change(place: Place) -> Response:
    """Back to the account."""
    visit = place.visit
    form = fill(ChangeForm, visit.fields)

    async def act(typed: ChangeForm) -> bytes:
        wanted = AccountChange(typed.name, typed.allocated, typed.overdraft)
        return await visit.database.run(
            lambda conn: change_account(conn, visit.actor, place.partner_id, place.account_id, wanted, visit.now)
        )

    await form.submit(act, fields={"allocatedCapacity": "allocated"})
    if form.errors:
        return await _page(place, form)
    return visit.see(place.path, gettext("The storage account was changed."))


async def _page(place: Place, form: Filled[ChangeForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[AccountFacts, PartnerRoom]:
        account = await place.found(conn)
        room = await partner_room(conn, place.scope, place.partner_id, place.account_id)
        if room is None:
            raise no_account(place.account_id)
        return account, room

    account, room = await place.visit.database.run(read)
    return place.page(
        "accounts/settings.html",
        account,
        status=form.status if form else 200,
        form=form or _as_is(account),
        room=room,
        remaining=max(0, room.allocated - room.given) if room.bounded else None,
    )


def _as_is(account: AccountFacts) -> Filled[ChangeForm]:
    typed = {"name": account.name, **typed_size("allocated", account.allocated)}
    return blank(ChangeForm, **typed, **({"overdraft": "on"} if account.overdraft else {}))
