"""Opening a storage account for a customer of a partner."""

from typing import Annotated

from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.accounts.account import NewAccount
from tonnage.accounts.actions import create_account, require_partner
from tonnage.console.accounts.scope import AccountsScope
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.db.rendered import Rendered
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerTotals, partner_totals
from tonnage.password_rules import account_password
from tonnage.regions.lists import RegionChoice, region_choices
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.number_fields import Size
from tonnage.web.schemas import Email, Name, Text

_FIELDS = {"allocatedCapacity": "allocated", "contactEmail": "email"}


class NewAccountForm(Form):
    """Without a region the account goes to the default one."""

    name: Name
    email: Email
    password: Annotated[Text, AfterValidator(account_password)]
    allocated: Size
    overdraft: Checkbox = False
    region: Name | None = None


async def ask(accounts_scope: AccountsScope) -> Response:
    """The empty form."""
    return await _page(accounts_scope, None)


async def create(accounts_scope: AccountsScope) -> Response:
    """On to the new account."""
    page = accounts_scope.page
    form = bind(NewAccountForm, page.fields, page.formats.number_format)

    async def act(values: NewAccountForm) -> Rendered[int]:
        async with page.hashing() as hashing:
            await page.database.run(require_partner, page.actor, accounts_scope.partner_id)
            hashed = await hashing.hash(values.password)
        account = NewAccount(values.name, values.email, hashed, values.allocated, values.overdraft, values.region)
        return await page.database.run(
            create_account,
            page.actor,
            accounts_scope.partner_id,
            account,
            page.business_now,
            limits=page.services.limits,
        )

    made = await form.submit(act, fields=_FIELDS)
    if made is None:
        return await _page(accounts_scope, form)
    return page.redirect(f"{accounts_scope.path}/{made.id}", gettext("Storage account created"))


async def _page(accounts_scope: AccountsScope, form: BoundForm[NewAccountForm] | None) -> Response:
    page = accounts_scope.page

    async def read(conn: Connection) -> tuple[PartnerTotals, list[RegionChoice]]:
        totals = await partner_totals(conn, page.actor.organisation_id, accounts_scope.partner_id)
        if totals is None:
            raise no_partner(accounts_scope.partner_id)
        return totals, await region_choices(conn)

    totals, regions = await page.database.run(read)
    usual = next((region.name for region in regions if region.is_default), "")
    return page.render(
        "accounts/new_account.html",
        status=form.status if form else 200,
        headers=form.headers if form else None,
        accounts_scope=accounts_scope,
        totals=totals,
        regions=regions,
        bounded=totals.allocated > 0 and not totals.overdraft,
        form=form or unbound(NewAccountForm, region=usual),
    )
