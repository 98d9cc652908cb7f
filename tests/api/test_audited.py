"""Every operation that changes something leaves an audit entry of the key that requested it."""

from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient
from tests.api.test_authorization import Operation, ids_of
from tonnage.asgi import create_app

pytestmark = pytest.mark.anyio

ENTRIES = "select count(*) from audit_entry where actor_kind = 'key' and actor_organisation_id = %s"

# Operations on access keys need a cluster: tests/access_keys/test_actions.py checks their entries.
CHANGES = [
    route
    for route in create_app("postgresql://not-asked").routes
    if isinstance(route, APIRoute) and route.include_in_schema and route.methods != {"GET"}
    if "/access-keys" not in route.path
]

AFTER = {
    ("DELETE", "suspension"): "update storage_account set suspended_at = %s, suspension_reason = 'Unpaid'",
    ("PATCH", "v1"): "update storage_account set deletion_requested_at = %s, pending_deleted_at = '2026-06-01'",
}
"""The state that some operations require of an account: suspended, or scheduled for deletion."""


def test_there_are_changes() -> None:
    assert len(CHANGES) >= 20


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: f"{route.name} {route.path}")
async def test_it_leaves_an_entry(route: APIRoute, client: AppClient, data: AccountData) -> None:
    cast = client.cast
    ids = ids_of(data)
    if route.path == "/v1/partner/{partnerID}":
        # A partner without accounts.
        ids["partnerID"] = str((await cast.partner(data.distributor, data.contract)).organisation_id)
    if route.path.endswith("/contract"):
        ids["contractID"] = str(await cast.contract(data.distributor))
    operation = Operation(route, ids)
    parts = route.path.split("/")
    for (method, part), statement in AFTER.items():
        if method == operation.method and part in {parts[1], parts[-1]}:
            await cast.row(f"{statement} where id = %s returning id", cast.now, data.account)
    body = operation.more.get("json", {})
    if "clientAccount" in body:
        body["clientAccount"] = {"contactEmail": f"{uuid4().hex}@example.org", "password": "Sesame-opens-1"}
    actor = data.distributor if operation.distributors else data.partner
    key = await client.key(actor)
    before = await cast.row(ENTRIES, actor.organisation_id)
    answer = await client.call(operation.method, operation.path, key, **operation.more)
    assert answer.status_code < 300, answer.text
    assert await cast.row(ENTRIES, actor.organisation_id) > before
