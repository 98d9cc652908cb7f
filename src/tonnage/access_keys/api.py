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
from tonnage.error_codes import ConflictCode, UnavailableCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.schemas import Name, RequestModel, ResponseModel, TimestampText, with_example

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)


class CreateAccessKeyReqBody(RequestModel):
    """A new access key."""

    model_config = with_example({"description": "Backup server"})

    description: Name | None = None
    """What it is for: 1 to 200 characters, no control characters."""


class AccessKeyResponse(ResponseModel):
    """An access key, without its secret."""

    model_config = with_example(
        {
            "accessKey": "TONNAGE4Q7Z0KX2M9RB1",
            "description": "Backup server",
            "createdAt": "2026-03-15T12:00:00Z",
            "status": "active",
        }
    )

    accessKey: str
    """The access key's id, as S3 clients send it."""
    description: str | None = None
    """What it is for. Missing if that was not said."""
    createdAt: TimestampText
    """When it was created, or found on the cluster, UTC."""
    status: Literal["active", "deleting"]
    """`deleting` while the cluster has not deleted it yet."""
    madeHere: Literal[False] | None = None
    """`false` if it was found on the storage cluster without having been created here; else missing."""


class CreateAccessKeyResponse(ResponseModel):
    """A new access key with its secret."""

    model_config = with_example(
        {
            "accessKey": "TONNAGE4Q7Z0KX2M9RB1",
            "secretKey": "8dRkS0vCq1mJ5xTzYbN2wEuL7aHfGi3oP9sKtVnB",
            "description": "Backup server",
            "createdAt": "2026-03-15T12:00:00Z",
        }
    )

    accessKey: str
    """The access key's id, as S3 clients send it."""
    secretKey: str
    """The secret, which is shown only here."""
    description: str | None = None
    """What it is for. Missing if that was not said."""
    createdAt: TimestampText
    """When it was created, UTC."""


Creation = Annotated[CreateAccessKeyReqBody, Body(alias="accessKeyDetails")]

_KEYS = ("/partner/{partnerID}/storage-accounts/{accountID}/access-keys", "/storage-account/{accountID}/access-keys")
_REFUSALS = (
    ConflictCode.METERED_ONLY,
    ConflictCode.ACCOUNT_DELETING,
    ConflictCode.CLUSTER_REFUSED,
    UnavailableCode.CLUSTER_UNAVAILABLE,
    UnavailableCode.NOT_PROVISIONED,
)
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
    openapi_extra=refusals(
        *_REFUSALS, ConflictCode.TOO_MANY_ACCESS_KEYS, ConflictCode.SECRET_NOT_KEPT, UnavailableCode.ACCESS_KEYS_PENDING
    ),
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
    openapi_extra=refusals(*_REFUSALS),
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
