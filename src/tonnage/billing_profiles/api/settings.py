"""How a seller makes its documents: settings, logo, tax rates."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from pydantic import AfterValidator, Field, Strict
from starlette.responses import Response

from tonnage.api_keys.guard import AnyAdmin, AnyViewer
from tonnage.billing_profiles import settings_actions as actions
from tonnage.billing_profiles.settings import read_settings
from tonnage.billing_profiles.tax import read_rates
from tonnage.error_codes import RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import DayText, Flag, RequestModel, ResponseModel, Text, UuidText, with_example
from tonnage.wording.choices import locale_name

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Distributors", "Partners", "Operators"])

_SETTINGS = {
    "document": "invoice",
    "locale": "de_DE",
    "colour": "#1f3a5f",
    "footer": "Nordlicht Cloud GmbH, Amtsgericht Hamburg HRB 12345",
    "freezeDay": 3,
    "numberFormat": "INV-{year}-{number:05}",
    "numberStart": 1,
    "smallBusiness": False,
    "retentionYears": 10,
    "negativeTotal": "carried",
    "mailDocuments": True,
    "suspendOverdueDays": 30,
    "suspensionWarningDays": [7, 3, 1],
}
_RATES: dict[str, Any] = {
    "rates": [{"validFrom": "2026-01-01", "percent": "19"}, {"validFrom": "2027-01-01", "percent": "20"}]
}
_ID = {"organisationId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13"}


class BillingSettingsReqBody(RequestModel):
    """Settings of a seller. What is missing is set to its default."""

    model_config = with_example(_SETTINGS)

    document: Literal["statement", "invoice"] | None = None
    """`statement` (default): documents say that they are no invoices, for sellers whose own program writes the
    invoices. `invoice`: they are invoices."""
    locale: Annotated[Text, AfterValidator(locale_name)] | None = None
    """The language and country of documents, such as `de_DE`; default `en_GB`."""
    colour: Text | None = None
    """Of headings: `#` and six hexadecimal digits."""
    footer: Text | None = None
    """At the foot of every page: up to 1000 characters, in lines."""
    freeze_day: Annotated[int, Strict()] | None = None
    """The day of the following month, UTC, on which documents become final: 1 to 28, default 3."""
    number_format: Text | None = None
    """How documents are numbered: `{number}` or `{number:05}` once, and `{year}` at most once. With the year, each year
    begins a new series; without it the series never begins again."""
    number_start: Annotated[int, Strict()] | None = None
    """The first number of the first series; default 1."""
    small_business: Flag | None = None
    """Whether you are a small business, which charges no tax (category E)."""
    retention_years: Annotated[int, Strict()] | None = None
    """How many years documents are kept: 1 to 50, default 10."""
    negative_total: Literal["carried", "credit-note"] | None = None
    """What becomes of a total below zero: it is carried to the next statement (default), or a credit note."""
    mail_documents: Flag | None = None
    """Whether each document is mailed as a PDF to the e-mail address of the buyer's billing profile; default: no."""
    suspend_overdue_days: Annotated[int, Strict()] | None = None
    """Of a distributor: after how many days an overdue statement suspends its partner: 1 to 365; 0 (default): never."""
    suspension_warning_days: list[Annotated[int, Strict()]] | None = None
    """How many days before the partner is warned: 1 to 5 numbers, each 1 to 60; default 7, 3, 1."""


class BillingSettingsResponse(ResponseModel):
    """Settings of a seller."""

    model_config = with_example({**_ID, **_SETTINGS, "hasLogo": True})

    has_revision = True

    organisationId: UuidText
    """The seller."""
    document: Literal["statement", "invoice"]
    """Whether documents are statements, which are no invoices, or invoices."""
    locale: str
    """The language and country of documents."""
    colour: str
    """Of headings."""
    footer: str
    """At the foot of every page."""
    freezeDay: int
    """The day of the following month, UTC, on which documents become final."""
    numberFormat: str
    """How documents are numbered."""
    numberStart: int
    """The first number of the first series."""
    smallBusiness: bool
    """Whether the seller charges no tax, as a small business."""
    retentionYears: int
    """How many years documents are kept."""
    negativeTotal: Literal["carried", "credit-note"]
    """What becomes of a total below zero."""
    mailDocuments: bool
    """Whether documents are mailed to the buyers."""
    suspendOverdueDays: int
    """After how many days an overdue statement suspends its partner; 0: never."""
    suspensionWarningDays: list[int]
    """How many days before the partner is warned."""
    hasLogo: bool
    """Whether documents have a logo."""


class LogoReqBody(RequestModel):
    """A logo."""

    model_config = with_example(
        {
            "image": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==",
        }
    )

    image: Annotated[Text, Field(json_schema_extra={"contentEncoding": "base64"})]
    """A PNG image of at most 200 KB in base64. Only the picture is kept, without comments or other data in the file."""


class LogoResponse(ResponseModel):
    """The logo of documents."""

    model_config = with_example(_ID)

    has_revision = True

    organisationId: UuidText
    """The seller."""
    image: str | None = None
    """A PNG image in base64. Missing if there is none."""


class TaxRateFields(RequestModel):
    """A rate."""

    valid_from: Text
    """The day from which it applies, as the end of the service period."""
    percent: Text
    """Percent as decimal text, 0 to 100 with at most 3 decimals."""


class TaxRatesReqBody(RequestModel):
    """The table of tax rates."""

    model_config = with_example(_RATES)

    rates: list[TaxRateFields]
    """At most 100, each from a day of its own."""


class TaxRateResponse(ResponseModel):
    """A rate."""

    validFrom: DayText
    """The day from which it applies, as the end of the service period."""
    percent: str
    """Percent, as decimal text."""


class TaxRatesResponse(ResponseModel):
    """The table of tax rates."""

    model_config = with_example({**_ID, **_RATES})

    has_revision = True

    organisationId: UuidText
    """The seller."""
    rates: list[TaxRateResponse]
    """In order of their days."""


_REFUSALS = refusals(RequestCode.NOT_FOUND, RequestCode.PRECONDITION_FAILED)


@routes.get("/billing-settings", responses={200: {"model": BillingSettingsResponse}})
async def get_billing_settings(call: AnyViewer) -> Response:
    """Get how your documents are made.

    The defaults, if nothing has been set.
    """
    found = await call.database.run(actions.show_settings, call.actor)
    return Json(found.json, revision=found.revision)


@routes.put("/billing-settings", responses={200: {"model": BillingSettingsResponse}}, openapi_extra=_REFUSALS)
async def set_billing_settings(
    call: AnyAdmin, details: Annotated[BillingSettingsReqBody, Body(alias="billingSettings")]
) -> Response:
    """Set how your documents are made.

    The settings are replaced as a whole, without the logo: a field that is missing is set to its default.
    """
    settings = read_settings(details.model_dump(by_alias=True))
    written = await call.database.run(actions.set_settings, call.actor, settings, call.now, revision=call.revision)
    return Json(written.json, revision=written.revision)


@routes.get("/billing-settings/logo", responses={200: {"model": LogoResponse}})
async def get_billing_logo(call: AnyViewer) -> Response:
    """Get the logo of your documents.

    Its `ETag` is that of the settings.
    """
    found = await call.database.run(actions.show_logo, call.actor)
    return Json(found.json, revision=found.revision)


@routes.put("/billing-settings/logo", responses={200: {"model": LogoResponse}}, openapi_extra=_REFUSALS)
async def set_billing_logo(call: AnyAdmin, details: Annotated[LogoReqBody, Body(alias="logo")]) -> Response:
    """Set the logo of your documents.

    A PNG image of at most 200 KB and 4 million pixels, in base64.
    """
    image = actions.read_logo(details.image)
    written = await call.database.run(actions.set_logo, call.actor, image, call.now, revision=call.revision)
    return Json(written.json, revision=written.revision)


@routes.delete("/billing-settings/logo", status_code=204, openapi_extra=_REFUSALS)
async def delete_billing_logo(call: AnyAdmin) -> Response:
    """Remove the logo of your documents.

    Without one nothing changes.
    """
    await call.database.run(actions.set_logo, call.actor, None, call.now, revision=call.revision)
    return NoContent()


@routes.get("/tax-rates", responses={200: {"model": TaxRatesResponse}})
async def get_tax_rates(call: AnyViewer) -> Response:
    """Get your tax rates.

    Those of the category S by the days from which they apply.
    """
    found = await call.database.run(actions.show_tax_rates, call.actor)
    return Json(found.json, revision=found.revision)


@routes.put("/tax-rates", responses={200: {"model": TaxRatesResponse}}, openapi_extra=_REFUSALS)
async def set_tax_rates(call: AnyAdmin, details: Annotated[TaxRatesReqBody, Body(alias="taxRates")]) -> Response:
    """Set your tax rates.

    The table is replaced as a whole. The rate of the last day of a service period applies to all of it.
    """
    rates = read_rates(details.model_dump(by_alias=True)["rates"])
    written = await call.database.run(actions.set_tax_rates, call.actor, rates, call.now, revision=call.revision)
    return Json(written.json, revision=written.revision)
