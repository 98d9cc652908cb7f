"""What a key and a partner find out about themselves."""

from datetime import timedelta

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import NOW, TB
from tonnage import __version__
from tonnage.access.actor import Role
from tonnage.api_keys import actions as api_key_actions
from tonnage.partners.actions import close_partner

pytestmark = pytest.mark.anyio

ME, OWN = "/ext/v1/me", "/ext/v1/partner"


async def test_every_key_can_ask_what_it_is(client: AppClient, data: AccountData) -> None:
    for actor in (client.cast.operator, data.distributor, data.partner):
        for role in Role:
            answer = await client.call("GET", ME, await client.cast.key(actor, role))
            key_id, description, name = await client.cast.row(
                "select k.id, k.description, o.name from api_key k join organisation o on o.id = k.organisation_id"
                " where o.id = %s order by k.seq desc limit 1",
                actor.organisation_id,
            )
            assert (answer.status_code, answer.json()) == (
                200,
                {
                    "organisation": {"id": str(actor.organisation_id), "name": name},
                    "kind": actor.kind,
                    "role": role,
                    "key": {"id": str(key_id), "description": description},
                    "versions": {"program": __version__, "api": "v1"},
                },
            )


async def test_its_expiry(client: AppClient, data: AccountData) -> None:
    key = await client.cast.key(data.partner, valid_until=NOW + timedelta(hours=1))
    assert (await client.call("GET", ME, key)).json()["key"]["validUntil"] == "2026-03-15T13:00:00Z"
    client.clock.now = NOW + timedelta(hours=1)
    assert (await client.call("GET", ME, key)).status_code == 401


async def test_a_closed_partners_key_finds_nothing(client: AppClient, data: AccountData) -> None:
    """Within the second in which it is still known."""
    partner = await client.cast.partner(data.distributor, data.contract)
    key = await client.cast.key(partner)
    assert (await client.call("GET", OWN, key)).status_code == 200
    await client.cast.database.run(close_partner, data.distributor, partner.organisation_id, NOW)
    assert [(await client.call("GET", path, key)).status_code for path in (ME, OWN)] == [401, 404]


async def test_a_revoked_key(client: AppClient, data: AccountData) -> None:
    key = await client.cast.key(data.partner)
    (key_id,) = await client.cast.row("select id from api_key order by seq desc limit 1")
    await client.cast.database.run(api_key_actions.revoke_key, client.cast.operator, key_id, NOW)
    assert [(await client.call("GET", path, key)).status_code for path in (ME, OWN)] == [401, 401]


async def test_a_partner_sees_its_own_figures_alone(client: AppClient, data: AccountData) -> None:
    """Neither the contract's price nor what else the distributor has."""
    key = await client.key(data.partner, Role.VIEWER)
    partner = str(data.partner.organisation_id)
    (name,) = await client.cast.row("select name from organisation where id = %s", partner)
    own = {
        "id": partner,
        "name": name,
        "allocatedCapacity": 10 * TB,
        "allowOverdraft": False,
        "allocatedToAccounts": TB,
        "remaining": 9 * TB,
        "storageAccounts": 1,
        "used": 0,
    }
    assert (await client.call("GET", OWN, key)).json() == own
    await client.cast.row("update partner set used = 5 where id = %s returning id", partner)
    await client.call(
        "PUT", f"/v1/partner/{partner}", await client.key(data.distributor), json={"allowOverdraft": True}
    )
    account = {"name": "Large", "allocatedCapacity": 12 * TB, "allowOverdraft": False}
    owner = {"contactEmail": "large@example.org", "password": "Sesame-opens-1"}
    made = await client.call(
        "POST", "/v1/storage-account", await client.key(data.partner), json={**account, "clientAccount": owner}
    )
    assert made.status_code == 201
    changed = {"allowOverdraft": True, "allocatedToAccounts": 13 * TB, "remaining": 0, "storageAccounts": 2, "used": 5}
    assert (await client.call("GET", OWN, key)).json() == {**own, **changed}


async def test_pay_per_use_has_no_remainder(client: AppClient, data: AccountData) -> None:
    partner = await client.cast.partner(data.distributor, data.contract, 0)
    answer = (await client.call("GET", OWN, await client.key(partner))).json()
    assert (answer["allocatedCapacity"], "remaining" in answer) == (0, False)


async def test_a_refusal_says_what_the_key_is(client: AppClient, data: AccountData) -> None:
    """Of every kind and role; the strangers' tests ask all operations."""
    partner = f"/v1/partner/{data.partner.organisation_id}"
    for actor, role, method, path, detail in (
        (data.partner, Role.VIEWER, "DELETE", partner, "a partner's key with the role viewer; this operation needs a "
         "distributor's key with the role admin."),
        (client.cast.operator, Role.ADMIN, "GET", OWN, "an operator's key with the role admin; this operation needs a "
         "partner's key."),
        (data.distributor, Role.VIEWER, "PUT", partner, "a distributor's key with the role viewer; this operation "
         "needs a distributor's key with the role staff or admin."),
        (data.distributor, Role.STAFF, "GET", "/metrics", "a distributor's key with the role staff; this operation "
         "needs an operator's key."),
    ):  # fmt: skip
        answer = await client.call(method, path, await client.key(actor, role), json={} if method == "PUT" else None)
        assert (answer.status_code, answer.json()["detail"]) == (403, f"This is {detail}")
