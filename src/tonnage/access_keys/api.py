"""The access keys of storage accounts, for partners and their distributors."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.access_keys import actions, lists
from tonnage.access_keys.disclosure import hide_operator_details
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest, DistributorStaff, DistributorViewer, PartnerStaff, PartnerViewer
from tonnage.web.json_list import JsonListResponse, Page, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import Name, RequestModel, ResponseModel, TimestampText, UuidPath, with_example

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute)


class CreateAccessKeyReqBody(RequestModel):
    model_config = with_example({"description": "Backup server"})

    description: Name | None = None


class AccessKeyResponse(ResponseModel):
    model_config = with_example(
        {
            "accessKey": "TONNAGE4Q7Z0KX2M9RB1",
            "description": "Backup server",
            "createdAt": "2026-03-15T12:00:00Z",
            "status": "active",
        }
    )

    accessKey: str
    description: str | None = None
    createdAt: TimestampText
    status: Literal["active", "deleting"]


class CreateAccessKeyResponse(ResponseModel):
    model_config = with_example(
        {
            "accessKey": "TONNAGE4Q7Z0KX2M9RB1",
            "secretKey": "8dRkS0vCq1mJ5xTzYbN2wEuL7aHfGi3oP9sKtVnB",
            "description": "Backup server",
            "createdAt": "2026-03-15T12:00:00Z",
        }
    )

    accessKey: str
    secretKey: str
    description: str | None = None
    createdAt: TimestampText


Creation = Annotated[CreateAccessKeyReqBody, Body(alias="accessKeyDetails")]

_OF_PARTNER = "/partner/{partnerID}/storage-accounts/{accountID}/access-keys"
_OWN = "/storage-account/{accountID}/access-keys"
_ONE_OF_PARTNER = _OF_PARTNER + "/{accessKey}"
_ONE = _OWN + "/{accessKey}"


@routes.get(_OF_PARTNER, responses={200: {"model": list[AccessKeyResponse]}}, tags=["Distributors"])
async def list_partner_access_keys(
    call: DistributorViewer, partnerID: UuidPath, accountID: str, page: Paging
) -> Response:
    """List the access keys of a partner's storage account.

    In order of creation, without their secrets.
    """
    return _listed(call, partnerID, accountID, page)


@routes.get(_OWN, responses={200: {"model": list[AccessKeyResponse]}}, tags=["Partners"])
async def list_access_keys(call: PartnerViewer, accountID: str, page: Paging) -> Response:
    """List the access keys of a storage account.

    In order of creation, without their secrets.
    """
    return _listed(call, call.actor.organisation_id, accountID, page)


def _listed(call: ApiRequest, partner_id: UUID, account: str, page: Page) -> Response:
    number = account_number(account)
    select = lists.access_keys(call.actor.organisation_id, partner_id, number)
    return JsonListResponse(call.database.streams, page, select, no_account(number))


@routes.post(_OF_PARTNER, status_code=201, responses={201: {"model": CreateAccessKeyResponse}}, tags=["Distributors"])
async def create_partner_access_key(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, details: Creation
) -> Response:
    """Make an access key for a partner's storage account.

    The secret is in this answer and can never be shown again. An account has 10 access keys at most. This waits for the
    storage cluster, up to 10 seconds; after a 503 ask again.
    """
    return await _create(call, partnerID, accountID, details)


@routes.post(_OWN, status_code=201, responses={201: {"model": CreateAccessKeyResponse}}, tags=["Partners"])
async def create_access_key(call: PartnerStaff, accountID: str, details: Creation) -> Response:
    """Make an access key for a storage account.

    The secret is in this answer and can never be shown again. An account has 10 access keys at most. This waits for the
    storage cluster, up to 10 seconds; after a 503 ask again.
    """
    return await _create(call, call.actor.organisation_id, accountID, details)


async def _create(call: ApiRequest, partner_id: UUID, account: str, details: CreateAccessKeyReqBody) -> Response:
    number = account_number(account)
    with hide_operator_details(number):
        made = await actions.create_key(call.services, call.actor, partner_id, number, details.description)
    return Json(made.json, 201)


@routes.delete(_ONE_OF_PARTNER, status_code=204, tags=["Distributors"])
async def delete_partner_access_key(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, accessKey: str
) -> Response:
    """Delete an access key of a partner's storage account.

    It fails from its next request on. This waits for the storage cluster, up to 10 seconds; after a 503 it is deleted
    as soon as the cluster can be reached.
    """
    return await _delete(call, partnerID, accountID, accessKey)


@routes.delete(_ONE, status_code=204, tags=["Partners"])
async def delete_access_key(call: PartnerStaff, accountID: str, accessKey: str) -> Response:
    """Delete an access key of a storage account.

    It fails from its next request on. This waits for the storage cluster, up to 10 seconds; after a 503 it is deleted
    as soon as the cluster can be reached.
    """
    return await _delete(call, call.actor.organisation_id, accountID, accessKey)


async def _delete(call: ApiRequest, partner_id: UUID, account: str, access_key: str) -> Response:
    number = account_number(account)
    with hide_operator_details(number):
        await actions.delete_key(call.services, call.actor, partner_id, number, access_key)
    return NoContent()
