"""API keys in the console."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.api.conftest import AppClient
from tests.cast import NOW
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Role
from tonnage.console.organisation.keys import end_of
from tonnage.errors import Invalid

pytestmark = pytest.mark.anyio


@pytest.fixture
async def distributor(client: AppClient) -> Actor:
    return await client.cast.distributor()


@pytest.fixture
async def admin(client: AppClient, distributor: Actor) -> Browser:
    return await client.sign_in(distributor)


def _shown_key(page: str) -> str:
    found = re.search(r'<code id="key"[^>]*>(tng_\w+)</code>', page)
    assert found, "no key is shown"
    return found[1]


async def test_a_key_is_shown_once_and_works_with_its_role(client: AppClient, admin: Browser) -> None:
    made = await admin.send("/keys/new", {"description": "<b>Billing</b>", "role": "viewer"})
    assert made.status_code == 200
    assert "no-store" in made.headers["cache-control"]
    key = _shown_key(made.text)
    listed = await admin.get("/keys")
    assert "&lt;b&gt;Billing&lt;/b&gt;" in listed.text
    assert f"{key[:8]}…" in listed.text
    assert key not in listed.text
    headers = {"Authorization": f"Bearer {key}"}
    assert (await client.http.get("/v1/contract/list", headers=headers)).status_code == 200
    assert (await client.http.post("/v1/partner", headers=headers, json={})).status_code == 403


async def test_a_last_day_ends_with_that_day_of_the_members_time_zone(client: AppClient, admin: Browser) -> None:
    await client.cast.row("update member set time_zone = 'Europe/Berlin' where id = %s returning id", admin.member_id)
    today = client.clock.now.astimezone(ZoneInfo("Europe/Berlin")).date()
    made = await admin.send("/keys/new", {"description": "Today", "role": "staff", "last_day": today.isoformat()})
    assert made.status_code == 200
    assert "valid until the end of" in made.text
    (until,) = await client.cast.row("select valid_until from api_key where description = 'Today'")
    assert until == datetime(today.year, today.month, today.day, tzinfo=ZoneInfo("Europe/Berlin")) + timedelta(days=1)


async def test_a_day_that_is_over_is_refused_and_everything_typed_is_kept(client: AppClient, admin: Browser) -> None:
    yesterday = (client.clock.now - timedelta(days=1)).date().isoformat()
    refused = await admin.send("/keys/new", {"description": "Late", "role": "admin", "last_day": yesterday})
    assert refused.status_code == 422
    assert 'id="last_day-error"' in refused.text
    assert f'value="{yesterday}"' in refused.text
    assert 'value="Late"' in refused.text
    assert 'value="admin" checked' in refused.text
    unreadable = await admin.send("/keys/new", {"description": " ", "role": "owner", "last_day": "2026-02-30"})
    assert unreadable.status_code == 422
    for field in ("description", "role", "last_day"):
        assert f'id="{field}-error"' in unreadable.text


def test_the_calendar_has_an_end() -> None:
    assert end_of(date(2026, 3, 28), ZoneInfo("Europe/Berlin")) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    with pytest.raises(Invalid):
        end_of(date.max, ZoneInfo("Pacific/Honolulu"))


async def test_a_key_is_revoked_after_a_question(client: AppClient, distributor: Actor, admin: Browser) -> None:
    await client.key(distributor, Role.VIEWER)
    (key_id,) = await client.cast.row("select id from api_key where organisation_id = %s", distributor.organisation_id)
    path = f"/keys/{key_id}/revocation"
    asked = await admin.get(path)
    assert "permanently stops working within a second" in asked.text
    revoked = await admin.send(path)
    assert (revoked.status_code, revoked.headers["location"]) == (303, "/keys")
    (at,) = await client.cast.row("select revoked_at from api_key where id = %s", key_id)
    assert at == client.clock.now
    listed = await admin.get("/keys")
    assert "Revoked" in listed.text
    assert path not in listed.text


async def test_an_expired_key_is_marked(client: AppClient, distributor: Actor, admin: Browser) -> None:
    await client.cast.key(distributor, valid_until=NOW + timedelta(days=1))
    assert "Expired" not in (await admin.get("/keys")).text
    await client.cast.row(
        "update api_key set valid_until = %s where organisation_id = %s returning id",
        client.clock.now,
        distributor.organisation_id,
    )
    assert "Expired" in (await admin.get("/keys")).text


async def test_another_organisations_key_is_neither_shown_nor_revoked(client: AppClient, admin: Browser) -> None:
    stranger = await client.cast.distributor()
    await client.cast.key(stranger)
    (key_id, prefix) = await client.cast.row(
        "select id, prefix from api_key where organisation_id = %s", stranger.organisation_id
    )
    assert prefix not in (await admin.get("/keys")).text
    assert (await admin.get(f"/keys/{key_id}/revocation")).status_code == 404


async def test_only_admins_open_the_keys(client: AppClient, distributor: Actor) -> None:
    for role in (Role.VIEWER, Role.STAFF):
        browser = await client.sign_in(distributor, role)
        for path in ("/keys", "/keys/new"):
            assert (await browser.get(path)).status_code == 403


async def test_the_limit_of_a_key(client: AppClient, distributor: Actor) -> None:
    admin = await client.sign_in(distributor)
    refused = await admin.send("/keys/new", {"description": "Fast", "role": "viewer", "limit": "51"})
    assert refused.status_code == 422
    assert "must be from 1 to 50; ask the operator for more" in refused.text
    assert (await admin.send("/keys/new", {"description": "Slow", "role": "viewer", "limit": "5"})).status_code == 200
    (key_id,) = await client.cast.row("select id from api_key where organisation_id = %s", distributor.organisation_id)
    assert "5 requests a second" in (await admin.get("/keys")).text
    path, limit = f"/keys/{key_id}/limit", "select requests_per_second from api_key where id = %s"
    for typed, said in (("0", "from 1 to 50"), ("1.5", "whole number"), ("-1", "minus sign")):
        refused = await admin.send(path, {"limit": typed})
        assert (refused.status_code, said in refused.text) == (422, True), typed
    refused = await admin.send(path, {"limit": "200"})
    assert (refused.status_code, await client.cast.row(limit, key_id)) == (422, (5,))
    operator = await client.sign_in(client.cast.operator)
    theirs = f"/operator/distributors/{distributor.organisation_id}/keys"
    assert f'href="{theirs}/{key_id}/limit"' in (await operator.get(theirs)).text
    changed = await operator.send(f"{theirs}/{key_id}/limit", {"limit": "200"})
    assert (changed.status_code, changed.headers["location"]) == (303, theirs), changed.text
    assert await client.cast.row(limit, key_id) == (200,)
    assert (await operator.send(f"{theirs}/{key_id}/limit", {"limit": "200"})).status_code == 303
    assert await client.cast.row(limit, key_id) == (200,)
    assert (await admin.send(path, {"limit": ""})).status_code == 303
    assert await client.cast.row(limit, key_id) == (None,)
