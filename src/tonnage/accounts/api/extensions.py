"""Storage accounts beyond what is published: all that is known of them, and their changes."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.accounts import change_actions, extended_queries
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import account_number, no_account, require_account
from tonnage.accounts.api.published import StorageAccountResponse
from tonnage.api_keys.guard import ApiRequest
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.organisations.organisation import no_partner
from tonnage.password_rules import account_password
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import Json, NoContent
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
    with_example,
)

routes = APIRouter(prefix="/ext/v1", route_class=IdempotentRoute)


class ChangeStorageAccountReqBody(RequestModel):
    """The fields of a storage account that change."""

    model_config = with_example(
        {"name": "Renamed customer", "allocatedCapacity": 2_000_000_000_000, "allowOverdraft": False}
    )

    name: Name | None = None
    """Its name: 1 to 200 characters, not only spaces, no control characters."""
    allocated_capacity: Capacity | None = None
    """Its fixed capacity, in bytes, out of what the partner has left; 0 is pay-per-use."""
    allow_overdraft: Flag | None = None
    """Whether it may use more than its allocation; the excess is billed."""


class SetPasswordReqBody(RequestModel):
    """The new password of a storage account."""

    model_config = with_example({"password": "Choose-1-yourself"})

    password: Annotated[Text, AfterValidator(account_password), PASSWORD]
    """8 to 128 characters, with a lower-case letter, an upper-case letter, a digit and a special character."""


class SuspendReqBody(RequestModel):
    """Why a storage account is suspended."""

    model_config = with_example({"reason": "Invoice 2026-117 is overdue"})

    reason: Name
    """Shown to the partner: 1 to 200 characters, no control characters."""


class SuspensionResponse(ResponseModel):
    """The suspension of a storage account."""

    model_config = with_example({"reason": "Invoice 2026-117 is overdue", "since": "2026-11-24T09:00:00Z"})

    reason: str
    """Why it is suspended."""
    since: TimestampText
    """When it was suspended, UTC."""


class AccountStateResponse(ResponseModel):
    """What a storage account can do at present, and why."""

    model_config = with_example({"name": "warned", "cause": "level", "level": 80})

    name: Literal["normal", "warned", "no_new_data", "closed"]
    """`normal`; `warned`: it has reached an alert level; `no_new_data`: it can read and delete, but not write;
    `closed`: it is suspended."""
    cause: Literal["person", "partner", "overdue", "deletion", "quota", "level"] | None = None
    """`person`: it was suspended itself; `partner`: its partner is suspended; `overdue`: its partner is, for an overdue
    statement; `deletion`: it waits for its deletion; `quota`: its quota is used up; `level`: an alert level. Missing if
    it is normal."""
    level: int | None = None
    """The highest alert level that it has reached, in percent. Missing unless that is the cause."""


class WholeStorageAccountResponse(StorageAccountResponse):
    """A storage account in full detail."""

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
            "state": {"name": "normal"},
            "provisioning": "done",
        }
    )

    region: str
    """The name of the region where it lives."""
    createdAt: TimestampText
    """When it was created, UTC."""
    used: Bytes
    """What it stores, in bytes, as last measured."""
    objects: Bytes | None = None
    """How many objects it stores, as last measured. Missing if the cluster does not count them."""
    measuredAt: TimestampText | None = None
    """When its use was last measured, UTC. Missing if it never was."""
    suspension: SuspensionResponse | None = None
    """Its own suspension. Missing if it is not suspended by itself."""
    state: AccountStateResponse
    """What it can do at present, and why."""
    provisioning: Literal["metered", "pending", "done", "rejected"]
    """Whether the storage cluster has applied the account's current state: `done`, or `pending`; `rejected` if it
    refuses to; `metered` in a region without a cluster."""
    rejection_reason: str | None = None
    """Why the cluster refuses it."""


Change = Annotated[ChangeStorageAccountReqBody, Body(alias="storageAccountDetails")]
NewPassword = Annotated[SetPasswordReqBody, Body(alias="password")]
Suspension = Annotated[SuspendReqBody, Body(alias="suspension")]

_ONE = ("/partner/{partnerID}/storage-accounts/{accountID}", "/storage-account/{accountID}")
_PASSWORD = tuple(f"{path}/password" for path in _ONE)
_SUSPENSION = tuple(f"{path}/suspension" for path in _ONE)


@partner_operation(
    routes.get,
    "/partner/{partnerID}/storage-accounts",
    "/storage-account/list",
    role=Role.VIEWER,
    for_distributor="List a partner's storage accounts in full detail.",
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": list[WholeStorageAccountResponse]}},
)
async def list_accounts_whole(call: ApiRequest, partner_id: UUID, page: Paging) -> Response:
    """List your storage accounts in full detail.

    In order of creation, including those waiting for deletion.
    """
    select = extended_queries.extended_accounts(call.actor.organisation_id, partner_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partner_id))


@partner_operation(
    routes.get,
    *_ONE,
    role=Role.VIEWER,
    for_distributor="Get a partner's storage account in full detail.",
    responses={200: {"model": WholeStorageAccountResponse}},
)
async def get_account_whole(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
    """Get a storage account in full detail.

    `provisioning` says whether the storage cluster has applied the account's current state. `used` is the last measured
    value.
    """
    number = account_number(accountID)
    found = await call.database.run(extended_queries.extended_account, call.actor.organisation_id, partner_id, number)
    if found is None:
        raise no_account(number)
    return Json(found.json, revision=found.revision)


@partner_operation(
    routes.patch,
    *_ONE,
    role=Role.STAFF,
    for_distributor="Update a partner's storage account: name, allocation, overdraft.",
    openapi_extra=refusals(
        RequestCode.PRECONDITION_FAILED,
        ConflictCode.PARTNER_FULL,
        ConflictCode.TOTAL_TOO_LARGE,
        ConflictCode.ACCOUNT_DELETING,
    ),
    responses={200: {"model": WholeStorageAccountResponse}},
)
async def change_account(call: ApiRequest, partner_id: UUID, accountID: str, details: Change) -> Response:
    """Update a storage account: name, allocation, overdraft.

    The fields in the request change immediately; all others stay unchanged. Unknown fields are ignored.
    """
    number = account_number(accountID)
    change = AccountChange(details.name, details.allocated_capacity, details.allow_overdraft)
    changed = await call.database.run(
        change_actions.change_account, call.actor, partner_id, number, change, call.now, revision=call.revision
    )
    return Json(changed.json, revision=changed.revision)


@partner_operation(
    routes.put,
    *_PASSWORD,
    role=Role.STAFF,
    for_distributor="Set the password of a partner's storage account.",
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.ACCOUNT_DELETING),
    status_code=204,
)
async def set_account_password(call: ApiRequest, partner_id: UUID, accountID: str, details: NewPassword) -> Response:
    """Set the password of a storage account.

    The password has 8 to 128 characters, with a lower-case letter, an upper-case letter, a digit and a special
    character. Access keys stay valid.
    """
    number = account_number(accountID)
    async with call.hashing() as hashing:
        await call.database.run(require_account, call.actor, partner_id, number)
        password_hash = await hashing.hash(details.password)
    await call.database.run(
        change_actions.set_password, call.actor, partner_id, number, password_hash, revision=call.revision
    )
    return NoContent()


@partner_operation(
    routes.put,
    *_SUSPENSION,
    role=Role.STAFF,
    for_distributor="Suspend a partner's storage account.",
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.ACCOUNT_DELETING),
    responses={200: {"model": WholeStorageAccountResponse}},
)
async def suspend_account(call: ApiRequest, partner_id: UUID, accountID: str, details: Suspension) -> Response:
    """Suspend a storage account.

    Its access keys can read and write nothing until the account is resumed. Stored data stays and counts as usage.
    Suspending it again changes the reason.
    """
    number = account_number(accountID)
    suspended = await call.database.run(
        change_actions.suspend_account,
        call.actor,
        partner_id,
        number,
        details.reason,
        call.now,
        revision=call.revision,
    )
    return Json(suspended.json, revision=suspended.revision)


@partner_operation(
    routes.delete,
    *_SUSPENSION,
    role=Role.STAFF,
    for_distributor="Resume a partner's storage account.",
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.ACCOUNT_DELETING),
    status_code=204,
)
async def resume_account(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
    """Resume a storage account.

    An account that is not suspended stays unchanged.
    """
    number = account_number(accountID)
    await call.database.run(change_actions.resume_account, call.actor, partner_id, number, revision=call.revision)
    return NoContent()
