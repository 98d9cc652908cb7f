"""Billing profiles: one's own, and those that a seller keeps of its buyers."""

from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Strict
from starlette.responses import Response

from tonnage.accounts.actions import account_number
from tonnage.api_keys.guard import (
    AnyAdmin,
    AnyViewer,
    ApiRequest,
    DistributorAdmin,
    DistributorViewer,
    OperatorAdmin,
    OperatorViewer,
    PartnerAdmin,
    PartnerViewer,
)
from tonnage.billing_profiles import actions
from tonnage.billing_profiles.billing_profile import ProfileSubject, read_profile
from tonnage.error_codes import RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json
from tonnage.web.schemas import RequestModel, ResponseModel, Text, UuidPath, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)

_EXAMPLE = {
    "legalName": "Nordlicht Cloud GmbH",
    "addressLine1": "Speicherstadt 12",
    "postalCode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "vatId": "DE136695976",
    "iban": "DE89370400440532013000",
    "paymentTermDays": 14,
    "electronicAddressScheme": "EM",
    "electronicAddress": "invoices@nordlicht.example",
    "contactEmail": "billing@nordlicht.example",
}


class BillingProfileReqBody(RequestModel):
    """A billing profile. What is missing is removed."""

    model_config = with_example(_EXAMPLE)

    legal_name: Text
    """The name of the company as it is registered: 1 to 200 characters."""
    address_line1: Text
    """Street and number, or a post box."""
    address_line2: Text | None = None
    """What else the address needs, such as a floor."""
    postal_code: Text | None = None
    """The postal code. Some countries have none."""
    city: Text
    """The city."""
    country: Text
    """The country as two letters (ISO 3166-1)."""
    vat_id: Text | None = None
    """The VAT id, with the prefix of its country (`EL` for Greece); it must be that of the address."""
    tax_number: Text | None = None
    """The number by which the company is known to its tax office, if it has one beside the VAT id."""
    iban: Text | None = None
    """The bank account that payments go to (ISO 13616)."""
    bic: Text | None = None
    """The BIC of its bank (ISO 9362)."""
    payment_term_days: Annotated[int, Strict()] | None = None
    """As a seller: days from a document until it is due, 0 to 365. In the profile that a seller keeps of a buyer, those
    of that buyer."""
    electronic_address_scheme: Text | None = None
    """The scheme of the electronic address: a code of the list EAS, such as `0204`, `9930` or `EM`."""
    electronic_address: Text | None = None
    """Where e-invoices go to, in that scheme."""
    buyer_reference: Text | None = None
    """What the company wants to read on documents that it gets, such as a Leitweg-ID."""
    contact_email: Text | None = None
    """Where its statements are sent to."""


class BillingProfileFields(ResponseModel):
    """The fields of a billing profile. One that has not been written has none."""

    legalName: str | None = None
    """The name of the company as it is registered."""
    addressLine1: str | None = None
    """Street and number, or a post box."""
    addressLine2: str | None = None
    """What else the address needs."""
    postalCode: str | None = None
    """The postal code."""
    city: str | None = None
    """The city."""
    country: str | None = None
    """The country as two letters (ISO 3166-1)."""
    vatId: str | None = None
    """The VAT id, with its prefix."""
    taxNumber: str | None = None
    """The number by which the company is known to its tax office."""
    iban: str | None = None
    """The bank account that payments go to."""
    bic: str | None = None
    """The BIC of its bank."""
    paymentTermDays: int | None = None
    """Days from a document until it is due."""
    electronicAddressScheme: str | None = None
    """The scheme of the electronic address: a code of the list EAS."""
    electronicAddress: str | None = None
    """Where e-invoices go to."""
    buyerReference: str | None = None
    """What the company wants to read on documents that it gets."""
    contactEmail: str | None = None
    """Where its statements are sent to."""


class BillingProfileResponse(BillingProfileFields):
    """A billing profile as its keeper has it."""

    model_config = with_example({"organisationId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13", **_EXAMPLE})

    has_revision = True

    organisationId: UuidText | None = None
    """Whose profile it is, an organisation."""
    clientAccountId: str | None = None
    """Or a storage account."""
    buyersOwn: BillingProfileFields | None = None
    """What the buyer has written itself. It counts instead of the profile that you keep of it, except for
    `paymentTermDays`. Missing in your own profile, and if the buyer has written none."""


Profile = Annotated[BillingProfileReqBody, Body(alias="billingProfile")]

_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"model": BillingProfileResponse}}
_REFUSALS = refusals(RequestCode.NOT_FOUND, RequestCode.PRECONDITION_FAILED, RequestCode.VAT_ID_OF_OTHER_COUNTRY)
_ANY: list[str | Enum] = ["Distributors", "Partners", "Operators"]


@routes.get("/billing-profile", tags=_ANY, responses=_RESPONSES, openapi_extra=refusals(RequestCode.NOT_FOUND))
async def get_billing_profile(call: AnyViewer) -> Response:
    """Get your own billing profile.

    What documents say about your organisation, as seller and as buyer. One that has not been written has only the id of
    the organisation.
    """
    return await _get(call, ProfileSubject.own(call.actor))


@routes.put("/billing-profile", tags=_ANY, responses=_RESPONSES, openapi_extra=_REFUSALS)
async def set_billing_profile(call: AnyAdmin, details: Profile) -> Response:
    """Set your own billing profile.

    It is replaced as a whole: a field that is missing is removed. Your seller uses it from the next document on,
    instead of the profile that it has kept of you.
    """
    return await _put(call, ProfileSubject.own(call.actor), details)


@routes.get("/partners/{partnerID}/billing-profile", tags=["Distributors"], responses=_RESPONSES)
async def get_partners_billing_profile(call: DistributorViewer, partnerID: UuidPath) -> Response:
    """Get the billing profile that you keep of a partner.

    `buyersOwn` is what the partner has written itself, and counts if it is there.
    """
    return await _get(call, actions.of_buyer(call.actor, partnerID))


@routes.put(
    "/partners/{partnerID}/billing-profile", tags=["Distributors"], responses=_RESPONSES, openapi_extra=_REFUSALS
)
async def set_partners_billing_profile(call: DistributorAdmin, partnerID: UuidPath, details: Profile) -> Response:
    """Set the billing profile that you keep of a partner.

    It is used for as long as the partner has not written its own. Your `paymentTermDays` count also after that.
    """
    return await _put(call, actions.of_buyer(call.actor, partnerID), details)


@routes.get("/distributors/{distributorID}/billing-profile", tags=["Operators"], responses=_RESPONSES)
async def get_distributors_billing_profile(call: OperatorViewer, distributorID: UuidPath) -> Response:
    """Get the billing profile that you keep of a distributor.

    `buyersOwn` is what the distributor has written itself, and counts if it is there.
    """
    return await _get(call, actions.of_buyer(call.actor, distributorID))


@routes.put(
    "/distributors/{distributorID}/billing-profile", tags=["Operators"], responses=_RESPONSES, openapi_extra=_REFUSALS
)
async def set_distributors_billing_profile(call: OperatorAdmin, distributorID: UuidPath, details: Profile) -> Response:
    """Set the billing profile that you keep of a distributor.

    It is used for as long as the distributor has not written its own. Your `paymentTermDays` count also after that.
    """
    return await _put(call, actions.of_buyer(call.actor, distributorID), details)


@routes.get("/storage-accounts/{accountID}/billing-profile", tags=["Partners"], responses=_RESPONSES)
async def get_accounts_billing_profile(call: PartnerViewer, accountID: str) -> Response:
    """Get the billing profile that you keep of a storage account.

    What your documents say about the customer.
    """
    return await _get(call, actions.of_account(call.actor, account_number(accountID)))


@routes.put(
    "/storage-accounts/{accountID}/billing-profile", tags=["Partners"], responses=_RESPONSES, openapi_extra=_REFUSALS
)
async def set_accounts_billing_profile(call: PartnerAdmin, accountID: str, details: Profile) -> Response:
    """Set the billing profile that you keep of a storage account.

    It is replaced as a whole: a field that is missing is removed.
    """
    return await _put(call, actions.of_account(call.actor, account_number(accountID)), details)


async def _get(call: ApiRequest, subject: ProfileSubject) -> Response:
    found = await call.database.run(actions.show_profile, call.actor, subject)
    return Json(found.json, revision=found.revision)


async def _put(call: ApiRequest, subject: ProfileSubject, details: BillingProfileReqBody) -> Response:
    profile = read_profile(details.model_dump(by_alias=True))
    written = await call.database.run(
        actions.set_profile, call.actor, subject, profile, call.now, revision=call.revision
    )
    return Json(written.json, revision=written.revision)
