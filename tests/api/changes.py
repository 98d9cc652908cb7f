"""Every operation of the API that changes something, with what it needs to succeed."""

from uuid import uuid4

from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient
from tests.api.test_authorization import PNG, Operation, ids_of
from tests.cast import TB, unique
from tests.statements.months import february
from tonnage.access.actor import Actor
from tonnage.alerts.actions import set_levels
from tonnage.asgi import create_app
from tonnage.billing_profiles.logo import logo_of_text
from tonnage.billing_profiles.settings_actions import set_logo
from tonnage.overdraft_caps import actions as overdraft_caps
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.overrides import actions as overrides
from tonnage.overrides.override import NewOverride
from tonnage.suspensions.actions import suspend_partner

# Operations on access keys need a cluster: they are tested in tests/access_keys. Those of a sandbox: tests/sandbox.
CHANGES = [
    route
    for route in create_app("postgresql://not-asked").routes
    if isinstance(route, APIRoute) and route.include_in_schema and route.methods != {"GET"}
    if "/access-keys" not in route.path and route.tags != ["Sandbox"]
]

AFTER = {
    ("DELETE", "suspension"): "update storage_account set suspended_at = %s, suspension_reason = 'Unpaid'",
    ("PATCH", "v1"): "update storage_account set deletion_requested_at = %s, pending_deleted_at = '2026-06-01'",
}
"""The state that some operations require of an account: suspended, or scheduled for deletion."""


async def override(client: AppClient, data: AccountData, *, of_partner: bool) -> None:
    """Of the partner, or of its account; each time another one."""
    cast, partner = client.cast, data.partner.organisation_id
    granted = NewOverride((20 if of_partner else 5) * TB, cast.now.date(), unique("Reason"))
    if of_partner:
        await cast.database.run(overrides.grant_to_partner, data.distributor, partner, granted, cast.now)
    else:
        await cast.database.run(overrides.grant_to_account, data.partner, partner, data.account, granted, cast.now)


async def allow_overdraft(client: AppClient, data: AccountData) -> None:
    """For the partner and its account, so that there is something to cap."""
    await client.cast.row("update storage_account set allow_overdraft = true where id = %s returning id", data.account)
    partner = data.partner.organisation_id
    await client.cast.row("update partner set allow_overdraft = true where id = %s returning id", partner)


async def cap(client: AppClient, data: AccountData, *, of_partner: bool) -> None:
    """Of the partner, or of its account."""
    await allow_overdraft(client, data)
    run, now = client.cast.database.run, client.cast.now
    if of_partner:
        partner = data.partner.organisation_id
        await run(overdraft_caps.set_of_partner, data.distributor, partner, NewCap(percent=10), now)
    else:
        await run(overdraft_caps.set_of_account, data.partner, data.account, NewCap(percent=10), now)


async def _make_what_is_deleted(route: APIRoute, actor: Actor, client: AppClient, data: AccountData) -> None:
    cast = client.cast
    if route.path.endswith("/override"):
        await override(client, data, of_partner="accountID" not in route.path)
    if route.path.endswith("/overdraft-cap"):
        await cap(client, data, of_partner="accountID" not in route.path)
    if route.path.endswith("/alert-levels"):
        await cast.database.transaction(set_levels, actor, [70])
    if route.path == "/ext/v1/partner/{partnerID}/suspension":
        await cast.database.run(suspend_partner, data.distributor, data.partner.organisation_id, "Unpaid", cast.now)
    if route.path.endswith("/logo"):
        await cast.database.run(set_logo, actor, logo_of_text(PNG), cast.now)


async def prepared(route: APIRoute, client: AppClient, data: AccountData) -> tuple[Operation, str]:
    """The operation, and a key for which it succeeds."""
    cast = client.cast
    ids = ids_of(data)
    if route.path == "/v1/partner/{partnerID}":
        # A partner without accounts.
        ids["partnerID"] = str((await cast.partner(data.distributor, data.contract)).organisation_id)
    if route.path.endswith("/contract"):
        ids["contractID"] = str(await cast.contract(data.distributor))
    if route.path.endswith("/freeze"):
        await february(cast, data.distributor, data.contract)
    operation = Operation(route, ids)
    parts = route.path.split("/")
    for (method, part), statement in AFTER.items():
        if method == operation.method and part in {parts[1], parts[-1]}:
            await cast.row(f"{statement} where id = %s returning id", cast.now, data.account)
    body = operation.more.get("json", {})
    if "clientAccount" in body:
        body["clientAccount"] = {"contactEmail": f"{uuid4().hex}@example.org", "password": "Sesame-opens-1"}
    if "email" in body:
        body["email"] = f"{uuid4().hex}@example.org"
    if route.path.endswith("/secrets"):
        # There may be two.
        await cast.row("delete from webhook_secret where id = %s returning id", data.webhook.secret)
    if route.path.startswith("/ext/v1/webhooks"):
        client.with_key_file()
    if route.path.endswith("/partner/{partnerID}/override"):
        body["capacity"] = 20 * TB
    if route.path.endswith("/overdraft-cap"):
        await allow_overdraft(client, data)
    if operation.method == "DELETE":
        await _make_what_is_deleted(route, operation.actor(data, client), client, data)
    return operation, await client.key(operation.actor(data, client))
