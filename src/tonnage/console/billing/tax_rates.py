"""The table of an organisation's tax rates."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing_profiles.settings_actions import add_tax_rate, remove_tax_rate
from tonnage.billing_profiles.settings_queries import tax_rates
from tonnage.billing_profiles.tax import TaxRate, percent
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.number_fields import Number
from tonnage.web.number_text import written
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Day

PATH = "/tax-rates"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_Percent = Annotated[Number, AfterValidator(lambda number: percent(f"{number:f}"))]


class TaxRateForm(Form):
    """A rate, and the day from which it applies."""

    valid_from: Day
    percent: _Percent


@routes.get("")
async def show(page: AnyMember) -> Response:
    """The table; admins change it."""
    return await _page(page, unbound(TaxRateForm))


@routes.post("")
async def add(page: AnyAdmin) -> Response:
    """Adds a rate, or replaces that of the same day."""
    form = bind(TaxRateForm, page.fields, page.formats.number_format)

    async def act(values: TaxRateForm) -> object:
        rate = TaxRate(values.valid_from, values.percent)
        return await page.database.run(add_tax_rate, page.actor, rate, page.business_now)

    if await form.submit(act):
        return page.redirect(PATH, gettext("Tax rate saved"))
    return await _page(page, form)


@routes.get("/{validFrom}/removal")
@routes.post("/{validFrom}/removal")
async def remove(page: AnyAdmin, validFrom: Day) -> Response:
    """Asks, then removes it."""

    async def ask() -> Confirmation | None:
        return await _question(page, validFrom)

    async def act() -> None:
        await page.database.run(remove_tax_rate, page.actor, validFrom, page.business_now)

    return await confirm(page, ask, act, done=PATH, notice=gettext("Tax rate removed"))


async def _question(page: PageRequest, valid_from: date) -> Confirmation | None:
    rates = await page.database.run(tax_rates, page.actor.organisation_id)
    found = next((rate for rate in rates if rate.valid_from == valid_from), None)
    if found is None:
        return None
    day, rate = page.formats.day(valid_from), written(found.percent, page.formats.number_format)
    return Confirmation(
        title=gettext("Remove the rate from %(day)s") % {"day": day},
        crumbs=[(gettext("Tax rates"), PATH)],
        sentences=[
            gettext("Service periods that end on %(day)s or later no longer have the rate of %(rate)s %%.")
            % {"day": day, "rate": rate},
            gettext("The rate before it applies instead. Documents that are final do not change."),
        ],
        button=gettext("Remove rate"),
        danger=True,
        cancel=PATH,
    )


async def _page(page: PageRequest, form: BoundForm[TaxRateForm]) -> Response:
    rates = await page.database.run(tax_rates, page.actor.organisation_id)
    return page.render(
        "billing/tax_rates.html",
        status=form.status,
        form=form,
        rates=[(rate.valid_from, written(rate.percent, page.formats.number_format)) for rate in reversed(rates)],
        may_change=page.actor.role is Role.ADMIN,
    )
