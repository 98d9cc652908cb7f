"""The feed of events by API and command line."""

import asyncio
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.cli.command import Command
from tonnage.access.actor import Role
from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.events.actions import publish

pytestmark = pytest.mark.anyio

EVENTS, TYPES = "/ext/v1/events", "/ext/v1/event-types"


async def published(client: AppClient) -> None:
    await sequence_entries(client.cast.database)
    await publish(client.cast.database)


async def test_a_program_follows_what_happens(client: AppClient, data: AccountData) -> None:
    await published(client)
    key = await client.key(data.distributor, Role.VIEWER)
    seen: list[str] = []
    url = f"{EVENTS}?limit=2"
    for _ in range(20):
        response = await client.call("GET", url, key)
        assert response.status_code == 200
        seen += [event["type"] for event in response.json()]
        link = response.headers["link"]
        assert link.startswith(f"<http://tonnage{EVENTS}?")
        assert link.endswith('>; rel="next"')
        url = link[1 : link.index(">")]
        assert parse_qs(urlsplit(url).query)["limit"] == ["2"]
        if not response.json():
            break
    assert {"contract.created", "partner.created", "account.created", "member.created", "key.created"} <= set(seen)
    body = {"name": "Renamed", "allocatedCapacity": 11 * TB}
    await client.call(
        "PUT", f"/v1/partner/{data.partner.organisation_id}", await client.key(data.distributor), json=body
    )
    await published(client)
    found = (await client.call("GET", url, key)).json()
    assert [event["type"] for event in found if event["type"] != "key.created"] == ["partner.updated"]
    assert found[-1]["data"]["after"]["name"] == "Renamed"


async def test_types_are_listed_and_filter(client: AppClient, data: AccountData) -> None:
    await published(client)
    key = await client.key(data.partner)
    types = {one["type"] for one in (await client.call("GET", TYPES, key)).json()}
    assert {"account.created", "partner.updated", "statement.paid"} <= types
    assert not {"region.created", "distributor.created", "contract.created"} & types
    found = (await client.call("GET", EVENTS, key, params={"types": "account.created,partner.created"})).json()
    assert {event["type"] for event in found} == {"account.created", "partner.created"}
    for wrong in ("region.created", "account.exploded", ""):
        refused = await client.call("GET", EVENTS, key, params={"types": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "types")


async def test_what_is_wrong_is_refused(client: AppClient, data: AccountData) -> None:
    await published(client)
    key, stranger = await client.key(data.partner), await client.key(await client.cast.distributor())
    [event, *_] = (await client.call("GET", EVENTS, key)).json()
    for key_of, after in ((key, uuid4()), (stranger, event["id"])):
        gone = await client.call("GET", EVENTS, key_of, params={"after": str(after)})
        assert (gone.status_code, gone.json()["code"]) == (410, "events_expired")
        assert str(after) not in gone.json()["detail"]
    assert (await client.call("GET", EVENTS, key, params={"after": "7"})).status_code == 400
    for limit, status in (("0", 422), ("1001", 422), ("x", 400)):
        refused = await client.call("GET", EVENTS, key, params={"limit": limit})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (status, "limit")


async def test_the_commands(client: AppClient, data: AccountData, conninfo: str) -> None:
    await published(client)
    tonnage, partner = Command(conninfo), str(data.partner.organisation_id)
    by_api = (await client.call("GET", EVENTS, await client.key(data.partner))).json()
    assert await asyncio.to_thread(tonnage.json, "event", "list", "--organisation", partner) == by_api
    assert (
        await asyncio.to_thread(tonnage.json, "event", "list", "--organisation", partner, "--after", by_api[0]["id"])
        == by_api[1:]
    )
