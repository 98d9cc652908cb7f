"""The suspension of a partner, for its distributor, and for itself to read."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.api_keys.guard import ApiRequest, DistributorStaff
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.error_codes import RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.suspensions import actions
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import Name, RequestModel, ResponseModel, TimestampText, UuidPath, UuidText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)

_PATH = "/partner/{partnerID}/suspension"


class SuspendPartnerReqBody(RequestModel):
    """Why a partner is suspended."""

    model_config = with_example({"reason": "Invoice 2026-117 is overdue"})

    reason: Name
    """Shown to the partner: 1 to 200 characters, no control characters."""


class PartnerSuspensionResponse(ResponseModel):
    """Whether a partner is suspended."""

    model_config = with_example(
        {
            "partnerId": "4b14e456-ef23-46ed-9070-f5eaf1b5ef04",
            "suspended": True,
            "reason": "Invoice 2026-117 is overdue",
            "cause": "person",
            "since": "2026-11-24T09:00:00Z",
        }
    )

    has_revision = True

    partnerId: UuidText
    """The partner's id."""
    suspended: bool
    """Whether it is suspended. If not, the other fields are missing."""
    reason: str | None = None
    """Why, in words."""
    cause: Literal["person", "overdue"] | None = None
    """`person`: it was suspended by a person. `overdue`: the rule about overdue statements has, and a payment of all of
    them ends it."""
    statementId: UuidText | None = None
    """The overdue statement. Missing unless `cause` is `overdue`."""
    since: TimestampText | None = None
    """When it was suspended, UTC."""


@partner_operation(
    routes.get,
    _PATH,
    "/suspension",
    role=Role.VIEWER,
    for_distributor="Get the suspension of a partner.",
    responses={200: {"model": PartnerSuspensionResponse}},
    openapi_extra=refusals(RequestCode.NOT_FOUND),
)
async def get_suspension(call: ApiRequest, partner_id: UUID) -> Response:
    """Get the suspension of your organisation.

    While a partner is suspended, its storage accounts are suspended too and its API keys can only read.
    """
    found = await call.database.run(actions.show_suspension, call.actor, partner_id)
    return Json(found.json, revision=found.revision)


@routes.put(
    _PATH,
    tags=["Distributors"],
    responses={200: {"model": PartnerSuspensionResponse}},
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED),
)
async def suspend_partner(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[SuspendPartnerReqBody, Body(alias="suspension")]
) -> Response:
    """Suspend a partner.

    All of its storage accounts are suspended, its API keys can only read, and it gets no new accounts until it is
    resumed. Stored data stays and counts as usage. Suspending it again changes the reason.
    """
    suspended = await call.database.run(
        actions.suspend_partner, call.actor, partnerID, details.reason, call.now, revision=call.revision
    )
    return Json(suspended.json, revision=suspended.revision)


@routes.delete(_PATH, tags=["Distributors"], status_code=204, openapi_extra=refusals(RequestCode.PRECONDITION_FAILED))
async def resume_partner(call: DistributorStaff, partnerID: UuidPath) -> Response:
    """Resume a partner.

    Storage accounts that were suspended by themselves stay suspended. A partner that is not suspended stays unchanged.
    """
    await call.database.run(actions.resume_partner, call.actor, partnerID, revision=call.revision)
    return NoContent()
