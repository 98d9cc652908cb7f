"""Whether a partner mails the contacts of its storage accounts about alerts."""

import json
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import Strict
from starlette.responses import Response

from tonnage.api_keys.guard import PartnerAdmin, PartnerViewer
from tonnage.contact_mails import actions, queries
from tonnage.error_codes import RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import RequestModel, ResponseModel, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute, tags=["Partners"])


class ContactMailsReqBody(RequestModel):
    """Whether contacts are mailed."""

    model_config = with_example({"enabled": False})

    enabled: Annotated[bool, Strict()]
    """Whether the contacts of your storage accounts are mailed when an alert level is reached."""


class ContactMailsResponse(ResponseModel):
    """Whether contacts are mailed."""

    model_config = with_example({"enabled": True})

    enabled: bool
    """Whether the contacts of your storage accounts are mailed about alerts. True until you set it."""


@routes.get("/contact-mails", responses={200: {"model": ContactMailsResponse}})
async def get_contact_mails(call: PartnerViewer) -> Response:
    """Get mails to contacts.

    Whether the contacts of your storage accounts are mailed in your name when an account reaches an alert level.
    """
    enabled = await call.database.run(queries.is_enabled, call.actor.organisation_id)
    return Json(json.dumps({"enabled": enabled}).encode())


@routes.put("/contact-mails", status_code=204, openapi_extra=refusals(RequestCode.VALIDATION_FAILED))
async def set_contact_mails(
    call: PartnerAdmin, details: Annotated[ContactMailsReqBody, Body(alias="contactMails")]
) -> Response:
    """Set mails to contacts.

    A contact that has stopped these mails by the link in one of them gets none in either case.
    """

    await call.database.transaction(actions.set_contact_mails, call.actor, enabled=details.enabled)
    return NoContent()
