"""Storage accounts, for partners and their distributors. Creating one is two routes, since their texts differ."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import AfterValidator
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.accounts import actions, queries
from tonnage.accounts.account import NewAccount
from tonnage.accounts.actions import account_number, no_account
from tonnage.api_keys.guard import ApiRequest, DistributorStaff, PartnerStaff
from tonnage.api_keys.partner_operation import partner_operation
from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.organisations.organisation import no_partner
from tonnage.password_rules import account_password
from tonnage.web.error_responses import refusals
from tonnage.web.json_list import JsonListResponse, Paging
from tonnage.web.responses import FIRST_REVISION, Json, NoContent
from tonnage.web.schemas import (
    PASSWORD,
    AccountIdText,
    Bytes,
    Capacity,
    Email,
    EmailText,
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

routes = APIRouter(prefix="/v1", route_class=IdempotentRoute)


class StorageAccountClientAccount(RequestModel):
    """The customer's login to the storage account."""

    model_config = with_example({"contactEmail": "it@customer.com", "password": "Choose-1-yourself"})

    contact_email: Email
    """The customer's e-mail address; no other storage account may have it."""
    password: Annotated[Text, AfterValidator(account_password), PASSWORD]
    """8 to 128 characters, with a lower-case letter, an upper-case letter, a digit and a special character."""


class CreateStorageAccountReqBody(RequestModel):
    """A new storage account."""

    model_config = with_example(
        {
            "allocatedCapacity": 1_000_000_000_000,
            "allowOverdraft": False,
            "clientAccount": {"contactEmail": "it@customer.com", "password": "Choose-1-yourself"},
            "name": "New customer",
        }
    )

    allocated_capacity: Capacity
    """Its fixed capacity, in bytes, out of what the partner has left; 0 is pay-per-use."""
    allow_overdraft: Flag
    """Whether it may use more than its allocation; the excess is billed."""
    client_account: StorageAccountClientAccount
    """The customer's login."""
    name: Name
    """Its name: 1 to 200 characters, not only spaces, no control characters."""
    region: RegionName | None = None
    """The name of the region where it lives, from the list of regions. Without it, the default one."""


class PatchStorageAccountReqBody(RequestModel):
    """The deletion date of a storage account."""

    model_config = with_example({"pendingDeletedAt": None})
    nullable = frozenset({"pending_deleted_at"})

    pending_deleted_at: Timestamp | None = None
    """When it will be deleted, UTC; a date without a time is midnight. `null` restores the account. Without it, nothing
    changes."""


class StorageAccountResponse(ResponseModel):
    """A storage account."""

    model_config = with_example(
        {
            "clientAccountId": "482915730164",
            "name": "New customer",
            "contactEmail": "it@customer.com",
            "allocatedCapacity": 1_000_000_000_000,
            "allowOverdraft": False,
        }
    )

    has_revision = True

    clientAccountId: AccountIdText
    """The account's id: 12 digits."""
    name: str
    """Its name."""
    contactEmail: EmailText
    """The customer's e-mail address."""
    allocatedCapacity: Bytes
    """Its fixed capacity, in bytes; 0 is pay-per-use."""
    allowOverdraft: bool
    """Whether it may use more than its allocation; the excess is billed."""
    pendingDeletedAt: TimestampText | None = None
    """When it will be deleted, UTC. Missing if it is not waiting for deletion."""


Creation = Annotated[CreateStorageAccountReqBody, Body(alias="storageAccountDetails")]
Change = Annotated[PatchStorageAccountReqBody, Body(alias="storageAccountDetails")]

_CREATION = refusals(
    ConflictCode.PARTNER_FULL,
    ConflictCode.TOTAL_TOO_LARGE,
    ConflictCode.TOO_MANY_ACCOUNTS,
    ConflictCode.SUSPENDED_PARTNER,
    ConflictCode.EMAIL_TAKEN,
    ConflictCode.NO_REGION,
)

_OF_PARTNER = "/partner/{partnerID}/storage-accounts"
_ONE = ("/partner/{partnerID}/storage-accounts/{accountID}", "/storage-account/{accountID}")


@routes.post(
    _OF_PARTNER,
    status_code=201,
    responses={201: {"model": StorageAccountResponse}},
    tags=["Distributors"],
    openapi_extra=_CREATION,
)
async def create_partner_account(call: DistributorStaff, partnerID: UuidPath, details: Creation) -> Response:
    """Create a storage account for a partner.

    Its `allocatedCapacity`, in bytes, is part of the partner's allocation; 0 is pay-per-use. The password has 8 to 128
    characters, with a lower-case letter, an upper-case letter, a digit and a special character. Without a `region`, the
    default one is used.
    """
    return await _create(call, partnerID, details)


@routes.post(
    "/storage-account",
    status_code=201,
    responses={201: {"model": StorageAccountResponse}},
    tags=["Partners"],
    openapi_extra=_CREATION,
)
async def create_account(call: PartnerStaff, details: Creation) -> Response:
    """Create a storage account.

    Its `allocatedCapacity`, in bytes, is part of your allocation; 0 is pay-per-use. The password has 8 to 128
    characters, with a lower-case letter, an upper-case letter, a digit and a special character. Without a `region`, the
    default one is used.
    """
    return await _create(call, call.actor.organisation_id, details)


async def _create(call: ApiRequest, partner_id: UUID, details: CreateStorageAccountReqBody) -> Response:
    async with call.hashing() as hashing:
        await call.database.run(actions.require_partner, call.actor, partner_id)
        password_hash = await hashing.hash(details.client_account.password)
    account = NewAccount(
        details.name,
        details.client_account.contact_email,
        password_hash,
        details.allocated_capacity,
        details.allow_overdraft,
        details.region,
    )
    created = await call.database.run(
        actions.create_account, call.actor, partner_id, account, call.now, limits=call.services.limits
    )
    return Json(created.json, 201, FIRST_REVISION)


@partner_operation(
    routes.get,
    _OF_PARTNER,
    "/storage-account/list",
    role=Role.VIEWER,
    for_distributor="List a partner's storage accounts.",
    openapi_extra=refusals(RequestCode.NOT_FOUND),
    responses={200: {"model": list[StorageAccountResponse]}},
)
async def list_accounts(call: ApiRequest, partner_id: UUID, page: Paging) -> Response:
    """List your storage accounts.

    In order of creation, including those waiting for deletion.
    """
    select = queries.accounts_of(call.actor.organisation_id, partner_id)
    return JsonListResponse(call.database.streams, page, select, no_partner(partner_id))


@partner_operation(
    routes.get,
    *_ONE,
    role=Role.VIEWER,
    for_distributor="Get a partner's storage account.",
    responses={200: {"model": StorageAccountResponse}},
)
async def get_account(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
    """Get a storage account.

    With its allocation, in bytes, and its deletion date, if it is waiting for deletion.
    """
    number = account_number(accountID)
    found = await call.database.run(queries.one_account, call.actor.organisation_id, partner_id, number)
    if found is None:
        raise no_account(number)
    return Json(found.json, revision=found.revision)


@partner_operation(
    routes.patch,
    *_ONE,
    role=Role.STAFF,
    for_distributor="Restore a partner's storage account, or change its deletion date.",
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED, ConflictCode.ACCOUNT_DELETING),
    responses={200: {"model": StorageAccountResponse}},
)
async def patch_account(call: ApiRequest, partner_id: UUID, accountID: str, details: Change) -> Response:
    """Restore a storage account, or change its deletion date.

    `null` restores it. A date without a time is midnight UTC.
    """
    number = account_number(accountID)
    if "pending_deleted_at" not in details.model_fields_set:
        same = await call.database.run(actions.require_revision, call.actor, partner_id, number, call.revision)
        return Json(same.json, revision=same.revision)
    due = details.pending_deleted_at
    grace = call.services.deletion_grace_days
    changed = await call.database.run(
        actions.set_deletion, call.actor, partner_id, number, due, grace, call.now, revision=call.revision
    )
    return Json(changed.json, revision=changed.revision)


@partner_operation(
    routes.delete,
    *_ONE,
    role=Role.ADMIN,
    for_distributor="Schedule a partner's storage account for deletion.",
    status_code=204,
    openapi_extra=refusals(RequestCode.PRECONDITION_FAILED),
)
async def delete_account(call: ApiRequest, partner_id: UUID, accountID: str) -> Response:
    """Schedule a storage account for deletion.

    It becomes read-only. Until its deletion date it can be restored.
    """
    number = account_number(accountID)
    grace = call.services.deletion_grace_days
    await call.database.run(
        actions.delete_account, call.actor, partner_id, number, grace, call.now, revision=call.revision
    )
    return NoContent()
