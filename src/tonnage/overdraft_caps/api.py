"""Caps of overdraft: how much may be used beyond an allocation, or of pay-per-use."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Field, Strict
from starlette.responses import Response

from tonnage.accounts.actions import account_number
from tonnage.api_keys.guard import DistributorStaff, DistributorViewer, PartnerStaff, PartnerViewer
from tonnage.db.rendered import Versioned
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import MOST_PERCENT, NewCap, parse_amount
from tonnage.overdraft_caps.queries import PresentCap
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import (
    Bytes,
    Capacity,
    RequestModel,
    ResponseModel,
    Text,
    UuidPath,
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)

_OF_ACCOUNT = "/storage-account/{accountID}/overdraft-cap"
_OF_PARTNER = "/partner/{partnerID}/overdraft-cap"


class OverdraftCapReqBody(RequestModel):
    """A cap in one unit: give one of the fields."""

    model_config = with_example({"percent": 10})

    percent: Annotated[int, Strict(), Field(ge=1, le=MOST_PERCENT)] | None = None
    """Percent of the allocation. Pay-per-use has none."""
    capacity: Capacity | None = None
    """Bytes that may be used beyond the allocation, or of pay-per-use."""
    amount: Text | None = None
    """Money a month for usage beyond the allocation, before discounts and taxes: decimal text, in the major unit of the
    currency of the buyer's prices."""

    @property
    def cap(self) -> NewCap:
        """Invalid: it has no unit or several, or no such number."""
        return NewCap(self.percent, self.capacity, None if self.amount is None else parse_amount(self.amount))


class OverdraftCapResponse(ResponseModel):
    """A cap, and what it allows at present."""

    model_config = with_example({"amount": "100.00", "currency": "EUR", "capacity": 800_000_000_000})

    has_revision = True

    percent: int | None = None
    """Percent of the allocation. Missing: the cap has another unit."""
    amount: str | None = None
    """Money a month, in the major unit. Missing: the cap has another unit."""
    currency: str | None = None
    """The currency of the amount, as three letters (ISO 4217)."""
    capacity: Bytes | None = None
    """Bytes that may be used beyond the allocation; of an amount, for the rest of the month, as computed last night.
    Missing: percent of pay-per-use, which is no limit."""


Cap = Annotated[OverdraftCapReqBody, Body(alias="overdraftCap")]


@routes.get(
    _OF_ACCOUNT,
    tags=["Partners"],
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": OverdraftCapResponse}},
)
async def get_account_overdraft_cap(call: PartnerViewer, accountID: str) -> Response:
    """Get the cap of a storage account's overdraft or pay-per-use.

    An account without a cap has no fields.
    """
    return _shown(await call.database.run(actions.cap_of_account, call.actor, account_number(accountID)))


@routes.put(
    _OF_ACCOUNT,
    tags=["Partners"],
    openapi_extra=refusals(
        RequestCode.PRECONDITION_FAILED,
        ConflictCode.NO_OVERDRAFT,
        ConflictCode.NO_PRICE,
        ConflictCode.ACCOUNT_DELETING,
    ),
    responses={200: {"model": OverdraftCapResponse}},
)
async def set_account_overdraft_cap(call: PartnerStaff, accountID: str, details: Cap) -> Response:
    """Cap the overdraft or the pay-per-use of a storage account.

    The quota on the storage cluster is the allocation and the cap. What an amount of money allows is computed again
    every night, from your prices and from what the month has cost so far. A cap refuses new data; what is stored costs
    its fee on.
    """
    number = account_number(accountID)
    cap = await call.database.run(
        actions.set_of_account, call.actor, number, details.cap, call.now, revision=call.revision
    )
    return _shown(cap)


@routes.delete(_OF_ACCOUNT, tags=["Partners"], openapi_extra=refusals(RequestCode.PRECONDITION_FAILED), status_code=204)
async def remove_account_overdraft_cap(call: PartnerStaff, accountID: str) -> Response:
    """Remove the cap of a storage account's overdraft or pay-per-use.

    An account without a cap stays unchanged.
    """
    number = account_number(accountID)
    await call.database.run(actions.remove_of_account, call.actor, number, revision=call.revision)
    return NoContent()


@routes.get(
    "/overdraft-cap",
    tags=["Partners"],
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": OverdraftCapResponse}},
)
async def get_own_overdraft_cap(call: PartnerViewer) -> Response:
    """Get the cap of your overdraft or your pay-per-use.

    It is of all your storage accounts together. Without a cap there are no fields.
    """
    return _shown(await call.database.run(actions.cap_of_partner, call.actor, call.actor.organisation_id))


@routes.get(
    _OF_PARTNER,
    tags=["Distributors"],
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": OverdraftCapResponse}},
)
async def get_partner_overdraft_cap(call: DistributorViewer, partnerID: UuidPath) -> Response:
    """Get the cap of a partner's overdraft or pay-per-use.

    A partner without a cap has no fields.
    """
    return _shown(await call.database.run(actions.cap_of_partner, call.actor, partnerID))


@routes.put(
    _OF_PARTNER,
    tags=["Distributors"],
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.NO_OVERDRAFT, ConflictCode.NO_PRICE),
    responses={200: {"model": OverdraftCapResponse}},
)
async def set_partner_overdraft_cap(call: DistributorStaff, partnerID: UuidPath, details: Cap) -> Response:
    """Cap the overdraft or the pay-per-use of a partner.

    All its storage accounts together may store the allocation and the cap. What an amount of money allows is computed
    again every night, from your prices and from what the month has cost so far. A cap refuses new data; what is stored
    costs its fee on.
    """
    cap = await call.database.run(
        actions.set_of_partner, call.actor, partnerID, details.cap, call.now, revision=call.revision
    )
    return _shown(cap)


@routes.delete(
    _OF_PARTNER, tags=["Distributors"], openapi_extra=refusals(RequestCode.PRECONDITION_FAILED), status_code=204
)
async def remove_partner_overdraft_cap(call: DistributorStaff, partnerID: UuidPath) -> Response:
    """Remove the cap of a partner's overdraft or pay-per-use.

    A partner without a cap stays unchanged.
    """
    await call.database.run(actions.remove_of_partner, call.actor, partnerID, revision=call.revision)
    return NoContent()


def _shown(cap: PresentCap | Versioned) -> Response:
    return Json(cap.json, revision=cap.revision)
