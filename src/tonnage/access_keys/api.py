"""The access keys of storage accounts, for partners and their distributors."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.access_keys import actions, lists
from tonnage.access_keys.disclosure import hide_operator_details
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import Name, RequestModel, ResponseModel, TimestampText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)


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
    madeHere: Literal[False] | None = None


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

_KEYS = ("/partner/{partnerID}/storage-accounts/{accountID}/access-keys", "/storage-account/{accountID}/access-keys")
_ONE = tuple(path + "/{accessKey}" for path in _KEYS)


@partner_operation(
    routes.get,
    *_KEYS,
    role=Role.VIEWER,
    for_distributor="List the access keys of a partner's storage account.",
    responses={200: {"model": list[AccessKeyResponse]}},
)
async def list_access_keys(call: ApiRequest, partner_id: UUID, accountID: str, page: Paging) -> Response:
    """List the access keys of a storage account.

    In order of creation, without their secrets. A key with `"madeHere": false` was found on the storage cluster without
    having been created here; its `createdAt` is when it was found.
    """
    number = account_number(accountID)
    select = lists.access_keys(call.actor.organisation_id, partner_id, number)
    return JsonListResponse(call.database.streams, page, select, no_account(number))


@partner_operation(
    routes.post,
    *_KEYS,
    role=Role.STAFF,
    for_distributor="Create an access key for a partner's storage account.",
    status_code=201,
    responses={201: {"model": CreateAccessKeyResponse}},
)
async def create_access_key(call: ApiRequest, partner_id: UUID, accountID: str, details: Creation) -> Response:
    """Create an access key for a storage account.

    The secret key is in this response only and cannot be shown again. An account has at most 10 access keys. The call
    waits up to 10 seconds for the storage cluster; after a 503, try again.
    """
    number = account_number(accountID)
    with hide_operator_details(number):
        made = await actions.create_key(call.services, call.actor, partner_id, number, details.description)
    return Json(made.json, 201)


@partner_operation(
    routes.delete,
    *_ONE,
    role=Role.STAFF,
    for_distributor="Delete an access key of a partner's storage account.",
    status_code=204,
)
async def delete_access_key(call: ApiRequest, partner_id: UUID, accountID: str, accessKey: str) -> Response:
    """Delete an access key of a storage account.

    The key fails from its next request. A key that is on the storage cluster and not in the list is deleted as well.
    The call waits up to 10 seconds for the storage cluster; after a 503, a listed key is deleted as soon as the cluster
    can be reached.
    """
    number = account_number(accountID)
    with hide_operator_details(number):
        await actions.delete_key(call.services, call.actor, partner_id, number, accessKey)
    return NoContent()
