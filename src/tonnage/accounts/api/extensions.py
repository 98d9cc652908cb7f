"""Storage accounts beyond what is published: all that is known of them, and their changes. Two doors to each action."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.accounts import change_actions, extended_queries
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import account_number, no_account
from tonnage.accounts.api.published import StorageAccountResponse
from tonnage.api_keys.guard import ApiRequest, DistributorStaff, DistributorViewer, PartnerStaff, PartnerViewer
from tonnage.organisations.organisation import no_partner
from tonnage.passwords import account_password
from tonnage.web.json_list import JsonListResponse, Page, Paging
from tonnage.web.responses import Json, NoContent
from tonnage.web.routing import ApiRoute
from tonnage.web.schemas import (
    PASSWORD,
    Bytes,
    Capacity,
    Flag,
    Name,
    RequestModel,
    ResponseModel,
    Text,
    TimestampText,
    UuidPath,
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=ApiRoute)


class ChangeStorageAccountReqBody(RequestModel):
    model_config = with_example(
        {"name": "Renamed customer", "allocatedCapacity": 2_000_000_000_000, "allowOverdraft": False}
    )

    name: Name | None = None
    allocated_capacity: Capacity | None = None
    allow_overdraft: Flag | None = None


class SetPasswordReqBody(RequestModel):
    model_config = with_example({"password": "Choose-1-yourself"})

    password: Annotated[Text, AfterValidator(account_password), PASSWORD]


class SuspendReqBody(RequestModel):
    model_config = with_example({"reason": "Invoice 2026-117 is overdue"})

    reason: Name


class SuspensionResponse(ResponseModel):
    model_config = with_example({"reason": "Invoice 2026-117 is overdue", "since": "2026-11-24T09:00:00Z"})

    reason: str
    since: TimestampText


class WholeStorageAccountResponse(StorageAccountResponse):
    model_config = with_example(
        {
            "clientAccountId": "482915730164",
            "name": "New customer",
            "contactEmail": "it@customer.com",
            "allocatedCapacity": 1_000_000_000_000,
            "allowOverdraft": False,
            "region": "eu-central-2",
            "createdAt": "2026-11-01T08:30:00Z",
            "used": 250_000_000_000,
            "objects": 41_000,
            "measuredAt": "2026-11-24T09:00:00Z",
            "provisioning": "done",
        }
    )

    region: str
    createdAt: TimestampText
    used: Bytes
    objects: Bytes | None = None
    measuredAt: TimestampText | None = None
    suspension: SuspensionResponse | None = None
    provisioning: Literal["metered", "pending", "done", "refused"]
    refusal: str | None = None


Change = Annotated[ChangeStorageAccountReqBody, Body(alias="storageAccountDetails")]
NewPassword = Annotated[SetPasswordReqBody, Body(alias="password")]
Suspension = Annotated[SuspendReqBody, Body(alias="suspension")]

_OF_PARTNER = "/partner/{partnerID}/storage-accounts"
_ONE_OF_PARTNER = "/partner/{partnerID}/storage-accounts/{accountID}"


@routes.get(_OF_PARTNER, responses={200: {"model": list[WholeStorageAccountResponse]}}, tags=["Distributors"])
async def list_partner_accounts_whole(call: DistributorViewer, partnerID: UuidPath, page: Paging) -> Response:
    """List a partner's storage accounts with all that is known of them.

    In order of creation, those waiting for deletion included.
    """
    return _listed(call, partnerID, page)


@routes.get("/storage-account/list", responses={200: {"model": list[WholeStorageAccountResponse]}}, tags=["Partners"])
async def list_accounts_whole(call: PartnerViewer, page: Paging) -> Response:
    """List your storage accounts with all that is known of them.

    In order of creation, those waiting for deletion included.
    """
    return _listed(call, call.actor.organisation_id, page)


def _listed(call: ApiRequest, partner_id: UUID, page: Page) -> Response:
    select = extended_queries.extended_accounts(call.actor.organisation_id, partner_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partner_id))


@routes.get(_ONE_OF_PARTNER, responses={200: {"model": WholeStorageAccountResponse}}, tags=["Distributors"])
async def get_partner_account_whole(call: DistributorViewer, partnerID: UuidPath, accountID: str) -> Response:
    """Get a storage account of a partner with all that is known of it.

    `provisioning` says whether its cluster knows its present state. `used` is as last measured.
    """
    return await _get(call, partnerID, accountID)


@routes.get("/storage-account/{accountID}", responses={200: {"model": WholeStorageAccountResponse}}, tags=["Partners"])
async def get_account_whole(call: PartnerViewer, accountID: str) -> Response:
    """Get a storage account with all that is known of it.

    `provisioning` says whether its cluster knows its present state. `used` is as last measured.
    """
    return await _get(call, call.actor.organisation_id, accountID)


async def _get(call: ApiRequest, partner_id: UUID, account: str) -> Response:
    number = account_number(account)
    found = await call.database.run(extended_queries.extended_account, call.actor.organisation_id, partner_id, number)
    if found is None:
        raise no_account(number)
    return Json(found)


@routes.patch(_ONE_OF_PARTNER, responses={200: {"model": WholeStorageAccountResponse}}, tags=["Distributors"])
async def change_partner_account(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, details: Change
) -> Response:
    """Rename or resize a partner's storage account, or change its overdraft.

    The fields that are given are changed, at once; those that are not stay. Unknown fields are ignored.
    """
    return await _change(call, partnerID, accountID, details)


@routes.patch(
    "/storage-account/{accountID}", responses={200: {"model": WholeStorageAccountResponse}}, tags=["Partners"]
)
async def change_account(call: PartnerStaff, accountID: str, details: Change) -> Response:
    """Rename or resize a storage account, or change its overdraft.

    The fields that are given are changed, at once; those that are not stay. Unknown fields are ignored.
    """
    return await _change(call, call.actor.organisation_id, accountID, details)


async def _change(call: ApiRequest, partner_id: UUID, account: str, details: ChangeStorageAccountReqBody) -> Response:
    number = account_number(account)
    change = AccountChange(details.name, details.allocated_capacity, details.allow_overdraft)
    return Json(
        await call.database.run(change_actions.change_account, call.actor, partner_id, number, change, call.now)
    )


@routes.put(f"{_ONE_OF_PARTNER}/password", status_code=204, tags=["Distributors"])
async def set_partner_account_password(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, details: NewPassword
) -> Response:
    """Set the password of a partner's storage account.

    It has 8 to 128 characters and all of lower case, upper case, digit and special character. Access keys stay.
    """
    return await _set_password(call, partnerID, accountID, details.password)


@routes.put("/storage-account/{accountID}/password", status_code=204, tags=["Partners"])
async def set_account_password(call: PartnerStaff, accountID: str, details: NewPassword) -> Response:
    """Set the password of a storage account.

    It has 8 to 128 characters and all of lower case, upper case, digit and special character. Access keys stay.
    """
    return await _set_password(call, call.actor.organisation_id, accountID, details.password)


async def _set_password(call: ApiRequest, partner_id: UUID, account: str, password: str) -> Response:
    number = account_number(account)
    password_hash = await call.services.passwords.hash(password)
    await call.database.run(change_actions.set_password, call.actor, partner_id, number, password_hash)
    return NoContent()


@routes.put(
    f"{_ONE_OF_PARTNER}/suspension", responses={200: {"model": WholeStorageAccountResponse}}, tags=["Distributors"]
)
async def suspend_partner_account(
    call: DistributorStaff, partnerID: UuidPath, accountID: str, details: Suspension
) -> Response:
    """Suspend a partner's storage account.

    Its access keys read and write nothing until it is resumed; what is stored stays and counts. Again: another reason.
    """
    return await _suspend(call, partnerID, accountID, details.reason)


@routes.put(
    "/storage-account/{accountID}/suspension",
    responses={200: {"model": WholeStorageAccountResponse}},
    tags=["Partners"],
)
async def suspend_account(call: PartnerStaff, accountID: str, details: Suspension) -> Response:
    """Suspend a storage account.

    Its access keys read and write nothing until it is resumed; what is stored stays and counts. Again: another reason.
    """
    return await _suspend(call, call.actor.organisation_id, accountID, details.reason)


async def _suspend(call: ApiRequest, partner_id: UUID, account: str, reason: str) -> Response:
    number = account_number(account)
    return Json(
        await call.database.run(change_actions.suspend_account, call.actor, partner_id, number, reason, call.now)
    )


@routes.delete(f"{_ONE_OF_PARTNER}/suspension", status_code=204, tags=["Distributors"])
async def resume_partner_account(call: DistributorStaff, partnerID: UuidPath, accountID: str) -> Response:
    """Resume a partner's storage account.

    One that is not suspended stays as it is.
    """
    return await _resume(call, partnerID, accountID)


@routes.delete("/storage-account/{accountID}/suspension", status_code=204, tags=["Partners"])
async def resume_account(call: PartnerStaff, accountID: str) -> Response:
    """Resume a storage account.

    One that is not suspended stays as it is.
    """
    return await _resume(call, call.actor.organisation_id, accountID)


async def _resume(call: ApiRequest, partner_id: UUID, account: str) -> Response:
    number = account_number(account)
    await call.database.run(change_actions.resume_account, call.actor, partner_id, number)
    return NoContent()
