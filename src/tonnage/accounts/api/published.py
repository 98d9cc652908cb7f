"""Storage accounts, for partners and their distributors. Two doors to each action: they differ in who may come in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.accounts import actions, queries
from tonnage.accounts.account import NewAccount
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import (
    ApiRequest,
    DistributorAdmin,
    DistributorStaff,
    DistributorViewer,
    PartnerAdmin,
    PartnerStaff,
    PartnerViewer,
)
from tonnage.organisations.organisation import no_partner
from tonnage.passwords import account_password
from tonnage.web.json_list import JsonListResponse, Page, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import (
    PASSWORD,
    Bytes,
    Capacity,
    Email,
    Flag,
    Name,
    RegionName,
    RequestModel,
    ResponseModel,
    Text,
    TimestampText,
    UuidPath,
    with_example,
)
from tonnage.web.timestamps import Timestamp

routes = APIRouter(prefix="/v1", route_class=ApiRoute)


class StorageAccountClientAccount(RequestModel):
    model_config = with_example({"contactEmail": "it@customer.com", "password": "Choose-1-yourself"})

    contact_email: Email
    password: Annotated[Text, AfterValidator(account_password), PASSWORD]


class CreateStorageAccountReqBody(RequestModel):
    model_config = with_example(
        {
            "allocatedCapacity": 1_000_000_000_000,
            "allowOverdraft": False,
            "clientAccount": {"contactEmail": "it@customer.com", "password": "Choose-1-yourself"},
            "name": "New customer",
        }
    )

    allocated_capacity: Capacity
    allow_overdraft: Flag
    client_account: StorageAccountClientAccount
    name: Name
    region: RegionName | None = None


class PatchStorageAccountReqBody(RequestModel):
    model_config = with_example({"pendingDeletedAt": None})
    nullable = frozenset({"pending_deleted_at"})

    pending_deleted_at: Timestamp | None = None


class StorageAccountResponse(ResponseModel):
    model_config = with_example(
        {
            "clientAccountId": "482915730164",
            "name": "New customer",
            "contactEmail": "it@customer.com",
            "allocatedCapacity": 1_000_000_000_000,
            "allowOverdraft": False,
        }
    )

    clientAccountId: str
    name: str
    contactEmail: str
    allocatedCapacity: Bytes
    allowOverdraft: bool
    pendingDeletedAt: TimestampText | None = None


Creation = Annotated[CreateStorageAccountReqBody, Body(alias="storageAccountDetails")]
Change = Annotated[PatchStorageAccountReqBody, Body(alias="storageAccountDetails")]

_OF_PARTNER = "/partner/{partnerID}/storage-accounts"
_ONE_OF_PARTNER = "/partner/{partnerID}/storage-accounts/{accountID}"


@routes.post(_OF_PARTNER, status_code=201, responses={201: {"model": StorageAccountResponse}}, tags=["Distributors"])
async def create_partner_account(call: DistributorStaff, partnerID: UuidPath, details: Creation) -> Response:
    """Open a storage account for a partner.

    Its `allocatedCapacity` in bytes is a part of the partner's; 0 is pay-per-use. The password has 8 to 128 characters
    and all of lower case, upper case, digit and special character. Without a `region` it lives in the default one.
    """
    return await _create(call, partnerID, details)


@routes.post("/storage-account", status_code=201, responses={201: {"model": StorageAccountResponse}}, tags=["Partners"])
async def create_account(call: PartnerStaff, details: Creation) -> Response:
    """Open a storage account.

    Its `allocatedCapacity` in bytes is a part of yours; 0 is pay-per-use. The password has 8 to 128 characters and all
    of lower case, upper case, digit and special character. Without a `region` it lives in the default one.
    """
    return await _create(call, call.actor.organisation_id, details)


async def _create(call: ApiRequest, partner_id: UUID, details: CreateStorageAccountReqBody) -> Response:
    password_hash = await call.services.passwords.hash(details.client_account.password)
    account = NewAccount(
        details.name,
        details.client_account.contact_email,
        password_hash,
        details.allocated_capacity,
        details.allow_overdraft,
        details.region,
    )
    created = await call.database.run(actions.create_account, call.actor, partner_id, account, call.now)
    return Json(created.json, 201)


@routes.get(_OF_PARTNER, responses={200: {"model": list[StorageAccountResponse]}}, tags=["Distributors"])
async def list_partner_accounts(call: DistributorViewer, partnerID: UuidPath, page: Paging) -> Response:
    """List a partner's storage accounts.

    In order of creation, those waiting for deletion included.
    """
    return _listed(call, partnerID, page)


@routes.get("/storage-account/list", responses={200: {"model": list[StorageAccountResponse]}}, tags=["Partners"])
async def list_accounts(call: PartnerViewer, page: Paging) -> Response:
    """List your storage accounts.

    In order of creation, those waiting for deletion included.
    """
    return _listed(call, call.actor.organisation_id, page)


def _listed(call: ApiRequest, partner_id: UUID, page: Page) -> Response:
    select = queries.accounts_of(call.actor.organisation_id, partner_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partner_id))


@routes.get(_ONE_OF_PARTNER, responses={200: {"model": StorageAccountResponse}}, tags=["Distributors"])
async def get_partner_account(call: DistributorViewer, partnerID: UuidPath, accountID: str) -> Response:
    """Get a storage account of a partner."""
    return await _get(call, partnerID, accountID)


@routes.get("/storage-account/{accountID}", responses={200: {"model": StorageAccountResponse}}, tags=["Partners"])
async def get_account(call: PartnerViewer, accountID: str) -> Response:
    """Get a storage account."""
    return await _get(call, call.actor.organisation_id, accountID)


async def _get(call: ApiRequest, partner_id: UUID, account: str) -> Response:
    number = account_number(account)
    found = await call.database.run(queries.one_account, call.actor.organisation_id, partner_id, number)
    if found is None:
        raise no_account(number)
    return Json(found)


@routes.patch(_ONE_OF_PARTNER, responses={200: {"model": StorageAccountResponse}}, tags=["Distributors"])
async def patch_partner_account(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, details: Change
) -> Response:
    """Restore a partner's storage account, or change the date of its deletion.

    `null` restores it. A date without a time is midnight UTC.
    """
    return await _patch(call, partnerID, accountID, details)


@routes.patch("/storage-account/{accountID}", responses={200: {"model": StorageAccountResponse}}, tags=["Partners"])
async def patch_account(call: PartnerStaff, accountID: str, details: Change) -> Response:
    """Restore a storage account, or change the date of its deletion.

    `null` restores it. A date without a time is midnight UTC.
    """
    return await _patch(call, call.actor.organisation_id, accountID, details)


async def _patch(call: ApiRequest, partner_id: UUID, account: str, details: PatchStorageAccountReqBody) -> Response:
    if "pending_deleted_at" not in details.model_fields_set:
        return await _get(call, partner_id, account)
    number = account_number(account)
    due = details.pending_deleted_at
    grace = call.services.deletion_grace_days
    return Json(await call.database.run(actions.set_deletion, call.actor, partner_id, number, due, grace, call.now))


@routes.delete(_ONE_OF_PARTNER, status_code=204, tags=["Distributors"])
async def delete_partner_account(call: DistributorAdmin, partnerID: UuidPath, accountID: str) -> Response:
    """Schedule a partner's storage account for deletion.

    It is read-only from now on. Until the day comes it can be restored.
    """
    return await _delete(call, partnerID, accountID)


@routes.delete("/storage-account/{accountID}", status_code=204, tags=["Partners"])
async def delete_account(call: PartnerAdmin, accountID: str) -> Response:
    """Schedule a storage account for deletion.

    It is read-only from now on. Until the day comes it can be restored.
    """
    return await _delete(call, call.actor.organisation_id, accountID)


async def _delete(call: ApiRequest, partner_id: UUID, account: str) -> Response:
    number = account_number(account)
    grace = call.services.deletion_grace_days
    await call.database.run(actions.delete_account, call.actor, partner_id, number, grace, call.now)
    return NoContent()
