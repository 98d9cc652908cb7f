"""The members of a partner, for its distributor."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import AfterValidator, WithJsonSchema
from starlette.responses import Response

from tonnage.access import member_actions, member_queries
from tonnage.access.actions import no_partner
from tonnage.access.actor import Role
from tonnage.access.guard import DistributorAdmin, DistributorStaff, DistributorViewer
from tonnage.access.member import NewMember
from tonnage.access.passwords import member_password
from tonnage.web.listing import Listing, Paging
from tonnage.web.payload import PASSWORD, Answer, Email, Name, Payload, Text, UuidPath, shown
from tonnage.web.reply import Json, NoContent
from tonnage.web.route import Door

routes = APIRouter(prefix="/v1", route_class=Door, tags=["Distributors"])


class CreateMemberReqBody(Payload):
    model_config = shown(
        {"email": "ann@company.com", "name": "Ann Miller", "password": "Choose-1-yourself", "role": "viewer"}
    )

    email: Email
    name: Name | None = None
    password: Annotated[Text, AfterValidator(member_password), PASSWORD]
    role: Annotated[Role, WithJsonSchema({"type": "string", "enum": [role.value for role in Role]})]


class DistributorPartnerMembersResponse(Answer):
    model_config = shown(
        {
            "id": "0b8e5a0c-93a5-4d5f-9f0e-3a1b7e7d8c21",
            "name": "Ann Miller",
            "email": "ann@company.com",
            "role": "viewer",
        }
    )

    id: str
    name: str | None = None
    email: str
    role: str


@routes.get("/partner/{partnerID}/members", responses={200: {"model": list[DistributorPartnerMembersResponse]}})
async def list_members(call: DistributorViewer, partnerID: UuidPath, page: Paging) -> Response:
    """List the people of a partner who have a console login.

    In order of creation.
    """
    select = member_queries.members(partnerID, call.actor.organisation_id)
    return Listing(call.database.streams, page, select, no_partner(partnerID))


@routes.post(
    "/partner/{partnerID}/member", status_code=201, responses={201: {"model": DistributorPartnerMembersResponse}}
)
async def create_member(
    call: DistributorStaff, partnerID: UuidPath, details: Annotated[CreateMemberReqBody, Body(alias="memberDetails")]
) -> Response:
    """Give a person of the partner a console login.

    Roles: `admin`, `staff`, `viewer`. The password has 8 to 128 characters and three of lower case, upper case, digit
    and special character.
    """
    password_hash = await call.resources.passwords.hash(details.password)
    member = NewMember(details.email, details.role, password_hash, details.name)
    created = await call.database.run(
        lambda conn: member_actions.create_partner_member(conn, call.actor, partnerID, member, call.now)
    )
    return Json(created, 201)


@routes.delete("/partner/{partnerID}/member/{memberID}", status_code=204)
async def delete_member(call: DistributorAdmin, partnerID: UuidPath, memberID: UuidPath) -> Response:
    """End a person's console login."""
    await call.database.run(lambda conn: member_actions.delete_partner_member(conn, call.actor, partnerID, memberID))
    return NoContent()
