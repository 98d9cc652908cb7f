"""Opening a storage account for a customer of a partner."""

import json
from typing import Annotated

from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actions import no_partner
from tonnage.access.passwords import account_password
from tonnage.accounts.account import NewAccount
from tonnage.accounts.actions import create_account
from tonnage.console.accounts.place import Holding
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerTotals, partner_totals
from tonnage.regions.choice_queries import RegionChoice, region_choices
from tonnage.web.forms import Checkbox, Filled, Form, Size, blank, fill
from tonnage.web.payload import Email, Name, Text

_FIELDS = {"allocatedCapacity": "allocated", "contactEmail": "email"}


class NewAccountForm(Form):
    """Without a region the account goes to the default one."""

    name: Name
    email: Email
    password: Annotated[Text, AfterValidator(account_password)]
    allocated: Size
    overdraft: Checkbox = False
    region: Name | None = None


async def ask(holding: Holding) -> Response:
    """The empty form."""
    return await _page(holding, None)


async def create(holding: Holding) -> Response:
    """On to the new account."""
    visit = holding.visit
    form = fill(NewAccountForm, visit.fields)

    async def act(typed: NewAccountForm) -> bytes:
        hashed = await visit.resources.passwords.hash(typed.password)
        account = NewAccount(typed.name, typed.email, hashed, typed.allocated, typed.overdraft, typed.region)
        return await visit.database.run(
            lambda conn: create_account(conn, visit.actor, holding.partner_id, account, visit.now)
        )

    made = await form.submit(act, fields=_FIELDS)
    if made is None:
        return await _page(holding, form)
    number = json.loads(made)["clientAccountId"]
    return visit.see(f"{holding.path}/{number}", gettext("The storage account was created."))


async def _page(holding: Holding, form: Filled[NewAccountForm] | None) -> Response:
    visit = holding.visit

    async def read(conn: Connection) -> tuple[PartnerTotals, list[RegionChoice]]:
        totals = await partner_totals(conn, visit.actor.organisation_id, holding.partner_id)
        if totals is None:
            raise no_partner(holding.partner_id)
        return totals, await region_choices(conn)

    totals, regions = await visit.database.run(read)
    usual = next((region.name for region in regions if region.is_default), "")
    return visit.page(
        "accounts/creation.html",
        status=form.status if form else 200,
        holding=holding,
        totals=totals,
        regions=regions,
        bounded=totals.allocated > 0 and not totals.overdraft,
        form=form or blank(NewAccountForm, region=usual),
    )
