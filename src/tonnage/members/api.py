"""The members of a partner, for its distributor."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import AfterValidator, WithJsonSchema
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.api_keys.guard import DistributorAdmin, DistributorStaff, DistributorViewer
from tonnage.error_codes import ConflictCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.members import actions, queries
from tonnage.members.member import NewMember
from tonnage.organisations.organisation import no_partner
from tonnage.password_rules import published_member_password
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import (
    PASSWORD,
    Email,
    EmailText,
    Name,
    RequestModel,
    ResponseModel,
    Text,
    UuidPath,
    UuidText,
    with_example,
)

routes = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["Distributors"])


class CreateMemberReqBody(RequestModel):
    """A new member of a partner."""

    model_config = with_example(
        {"email": "ann@company.com", "name": "Ann Miller", "password": "Choose-1-yourself", "role": "viewer"}
    )

    email: Email
    """The e-mail address to sign in with; no other member may have it."""
    name: Name | None = None
    """The person's name: 1 to 200 characters, no control characters."""
    password: Annotated[Text, AfterValidator(published_member_password), PASSWORD]
    """8 to 128 characters, with three of: a lower-case letter, an upper-case letter, a digit, a special character; none
    of the commonest passwords."""
    role: Annotated[Role, WithJsonSchema({"type": "string", "enum": [role.value for role in Role]})]
    """What the member may do; each role includes those below it. A key of the role `staff` cannot add an `admin`."""


class DistributorPartnerMembersResponse(ResponseModel):
    """A member of a partner: a person with a console login."""

    model_config = with_example(
        {
            "id": "0b8e5a0c-93a5-4d5f-9f0e-3a1b7e7d8c21",
            "name": "Ann Miller",
            "email": "ann@company.com",
            "role": "viewer",
        }
    )

    id: UuidText
    """The member's id."""
    name: str | None = None
    """The person's name. Missing if it is not known."""
    email: EmailText
    """The e-mail address to sign in with."""
    role: Literal["admin", "staff", "viewer"]
    """What the member may do: `admin`, `staff` or `viewer`."""


@routes.get("/partner/{partnerID}/members", responses={200: {"model": list[DistributorPartnerMembersResponse]}})
async def list_members(call: DistributorViewer, partnerID: UuidPath, page: Paging) -> Response:
    """List the members of a partner.

    Members are people with a console login. In order of creation.
    """
    select = queries.members(partnerID, call.actor.organisation_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partnerID))


@routes.post(
    "/partner/{partnerID}/member",
    status_code=201,
    responses={201: {"model": DistributorPartnerMembersResponse}},
    openapi_extra=refusals(ConflictCode.EMAIL_TAKEN, ConflictCode.TOO_MANY_MEMBERS),
)
async def create_member(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[CreateMemberReqBody, Body(alias="memberDetails")]
) -> Response:
    """Add a member to a partner, with a console login.

    Roles: `admin`, `staff`, `viewer`. Adding an `admin` needs a key with the role `admin`. The password has 8 to 128
    characters, with three of lower-case letter, upper-case letter, digit and special character, and is not one of the
    commonest passwords.
    """
    async with call.hashing() as hashing:
        await call.database.run(actions.require_partner, call.actor, partnerID, details.role)
        password_hash = await hashing.hash(details.password)
    member = NewMember(details.email, details.role, password_hash, details.name)
    created = await call.database.run(
        actions.create_partner_member, call.actor, partnerID, member, call.now, limits=call.services.limits
    )
    return Json(created.json, 201)


@routes.delete("/partner/{partnerID}/member/{memberID}", status_code=204)
async def delete_member(call: DistributorAdmin, partnerID: UuidPath, memberID: UuidPath) -> Response:
    """Remove a member from a partner.

    The person's console login ends at once.
    """
    await call.database.run(actions.delete_partner_member, call.actor, partnerID, memberID)
    return NoContent()
