"""API keys of requests: expiry, revocation, closed partners, the cache."""

from datetime import timedelta

import pytest

from tests.api.conftest import AppClient
from tests.cast import NOW
from tonnage.api_keys import actions as api_key_actions
from tonnage.api_keys.api_key import new_key
from tonnage.partners.actions import close_partner
from tonnage.tokens import digest

pytestmark = pytest.mark.anyio

LIST = "/v1/contract/list"


async def test_a_key_stops_at_its_instant(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    key = await client.cast.key(distributor, valid_until=NOW + timedelta(seconds=10))
    client.clock.now = NOW + timedelta(seconds=9.999)
    assert (await client.call("GET", LIST, key)).status_code == 200
    client.clock.now = NOW + timedelta(seconds=10)
    answer = await client.call("GET", LIST, key)
    assert answer.status_code == 401
    assert "expired at 2026-03-15T12:00:10Z" in answer.json()["message"]


async def test_a_revoked_key_stops_within_a_second_on_every_process(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    key = await client.cast.key(distributor)
    assert (await client.call("GET", LIST, key)).status_code == 200
    (key_id,) = await client.cast.row("select id from api_key where organisation_id = %s", distributor.organisation_id)
    await client.cast.database.run(api_key_actions.revoke_key, client.cast.operator, key_id, NOW)
    client.clock.now = NOW + timedelta(seconds=0.999)
    assert (await client.call("GET", LIST, key)).status_code == 200
    client.clock.now = NOW + timedelta(seconds=1)
    answer = await client.call("GET", LIST, key)
    assert (answer.status_code, answer.json()["detail"]) == (401, "This API key has been revoked. Use another one.")


async def test_unknown_keys(client: AppClient) -> None:
    unknown = new_key()
    answer = await client.call("GET", LIST, unknown)
    assert (answer.status_code, "unknown" in answer.json()["detail"]) == (401, True)
    for mistyped in (unknown[:-1], unknown + "x", unknown[:10] + "!" + unknown[11:], "tng_", "a b"):
        answer = await client.call("GET", LIST, mistyped)
        assert (answer.status_code, "not an API key" in answer.json()["detail"]) == (401, True)


async def test_a_new_key_works_at_once_although_it_was_tried_before(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    key = await client.cast.key(distributor)
    known, unknown = digest(key), b"not this one yet" + digest(key)
    update = "update api_key set digest = %s where digest = %s returning id"
    await client.cast.row(update, unknown, known)
    assert (await client.call("GET", LIST, key)).status_code == 401
    await client.cast.row(update, known, unknown)
    assert (await client.call("GET", LIST, key)).status_code == 200


async def test_the_keys_of_a_closed_partner_end(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    partner = await client.cast.partner(distributor, await client.cast.contract(distributor))
    key = await client.cast.key(partner)
    assert (await client.call("GET", "/v1/storage-account/list", key)).status_code == 200
    await client.cast.database.run(close_partner, distributor, partner.organisation_id, NOW)
    client.clock.now = NOW + timedelta(seconds=1)
    assert (await client.call("GET", "/v1/storage-account/list", key)).status_code == 401


async def test_last_use_is_noted_in_one_statement_for_many_requests(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    key = await client.cast.key(distributor)
    for second in range(3):
        client.clock.now = NOW + timedelta(seconds=second)
        await client.call("GET", LIST, key)
    await client.app.state.key_cache.flush()
    noted = await client.cast.row(
        "select last_used_at from api_key where organisation_id = %s", distributor.organisation_id
    )
    assert noted == (NOW + timedelta(seconds=2),)
