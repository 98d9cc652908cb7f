"""Suspended partners at the doors: API keys, pages, command line; the settings of the rule, and mails."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.cast import TB
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio


PAGE = "/distributor/overdue-statements"


@pytest.fixture
async def client(conninfo: str) -> AsyncGenerator[AppClient]:
    async with application(conninfo) as client:
        yield client


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    return await account_data(client)


@pytest.fixture
def at(data: AccountData) -> str:
    return f"/ext/v1/partner/{data.partner.organisation_id}/suspension"


async def suspend(client: AppClient, data: AccountData, at: str, reason: str = "Unpaid <b>") -> Any:
    answer = await client.call("PUT", at, await client.key(data.distributor, Role.STAFF), json={"reason": reason})
    assert answer.status_code == 200, answer.text
    client.clock.now += timedelta(seconds=1)
    return answer


async def test_its_keys_can_only_read_from_within_a_second(client: AppClient, data: AccountData, at: str) -> None:
    key, account = await client.key(data.partner), f"/ext/v1/storage-account/{data.account}"
    assert (await client.call("PATCH", account, key, json={"name": "Before"})).status_code == 200
    await suspend(client, data, at)
    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PATCH", account, {"json": {"name": "After"}}),
        ("DELETE", f"/v1/storage-account/{data.account}", {}),
        ("POST", "/v1/storage-account", {"json": {}}),
        ("PUT", "/ext/v1/alert-levels", {"json": {"levels": [50]}}),
    )
    for method, path, more in changes:
        refused = await client.call(method, path, key, **more)
        assert (refused.status_code, refused.json()["code"]) == (403, "partner_suspended"), path
        assert "Unpaid <b>" in refused.json()["message"]
    read = await client.call("GET", account, key)
    assert (read.json()["name"], read.json()["state"]) == ("Before", {"name": "closed", "cause": "partner"})
    assert "suspension" not in read.json()
    own = (await client.call("GET", "/ext/v1/suspension", key)).json()
    assert (own["suspended"], own["reason"], own["cause"]) == (True, "Unpaid <b>", "person")
    resumed = await client.call("DELETE", at, await client.key(data.distributor))
    assert resumed.status_code == 204
    client.clock.now += timedelta(seconds=1)
    assert (await client.call("PATCH", account, key, json={"name": "After"})).status_code == 200
    assert (await client.call("GET", account, key)).json()["state"] == {"name": "normal"}


async def test_a_key_that_is_cached_still_creates_no_account(client: AppClient, data: AccountData, at: str) -> None:
    """In the second in which other processes may know the key from before."""
    key, distributor = await client.key(data.partner), await client.key(data.distributor)
    assert (await client.call("GET", "/ext/v1/suspension", key)).json() == {
        "partnerId": str(data.partner.organisation_id),
        "suspended": False,
    }
    assert (await client.call("PUT", at, distributor, json={"reason": "Unpaid"})).status_code == 200
    new = {
        "name": "New",
        "allocatedCapacity": TB,
        "allowOverdraft": False,
        "clientAccount": {"contactEmail": "new.suspended@example.org", "password": "Sesame-opens-1"},
    }
    refused = await client.call("POST", "/v1/storage-account", key, json=new)
    assert (refused.status_code, refused.json()["code"]) == (409, "suspended_partner")
    path = f"/v1/partner/{data.partner.organisation_id}/storage-accounts"
    refused = await client.call("POST", path, distributor, json=new)
    assert (refused.status_code, refused.json()["code"]) == (409, "suspended_partner")


async def test_the_published_partner_does_not_change(client: AppClient, data: AccountData, at: str) -> None:
    path, key = f"/v1/partner/{data.partner.organisation_id}", await client.key(data.distributor)
    before = (await client.call("GET", path, key)).json()
    await suspend(client, data, at)
    assert (await client.call("GET", path, key)).json() == before


async def test_an_outdated_revision_is_refused(client: AppClient, data: AccountData, at: str) -> None:
    key = await client.key(data.distributor)
    tag = (await client.call("GET", at, key)).headers["etag"]
    headers = {"If-Match": tag}
    assert (await client.call("PUT", at, key, json={"reason": "A"}, headers=headers)).status_code == 200
    assert (await client.call("PUT", at, key, json={"reason": "B"}, headers=headers)).status_code == 412
    assert (await client.call("DELETE", at, key, headers=headers)).status_code == 412
    assert (await client.call("GET", at, key)).json()["reason"] == "A"


async def test_pages_say_why_and_offer_nothing_that_is_refused(client: AppClient, data: AccountData, at: str) -> None:
    await suspend(client, data, at)
    member, mine = await client.sign_in(data.partner), f"/partner/accounts/{data.account}"
    for path in ("/partner/usage", "/partner/accounts", mine, "/profile", "/team", "/keys", "/audit", "/statements"):
        page = await member.get(path)
        assert page.status_code == 200, path
        assert "Your organisation is suspended: Unpaid &lt;b&gt;" in page.text, path
    listed = (await member.get("/partner/accounts")).text
    assert "/partner/accounts/new" not in listed
    assert "Partner suspended" in listed
    assert f"{mine}/settings" not in (await member.get(mine)).text
    for path in ("/partner/accounts/new", f"{mine}/settings", f"{mine}/suspend", f"{mine}/delete", f"{mine}/password"):
        assert (await member.get(path)).status_code == 403, path
        assert (await member.post(path)).status_code == 403, path
    assert (await member.get("/partner/accounts.csv")).status_code == 200
    assert (await member.get("/profile/password")).status_code == 200


async def test_the_distributor_suspends_and_resumes_on_its_page(client: AppClient, data: AccountData) -> None:
    staff = await client.sign_in(data.distributor, Role.STAFF)
    base = f"/distributor/partners/{data.partner.organisation_id}"
    assert "Suspend partner" in (await staff.get(f"{base}/settings")).text
    assert "can only read" in (await staff.get(f"{base}/suspend")).text
    assert (await staff.send(f"{base}/suspend", {"reason": ""})).status_code == 422
    assert (await staff.send(f"{base}/suspend", {"reason": "Unpaid"})).status_code == 303
    shown = (await staff.get(base)).text
    assert "Suspended since" in shown
    assert f"{base}/resume" in shown
    assert ">Suspended<" in (await staff.get("/distributor/partners?filter=suspended")).text
    assert "The partner is suspended since" in (await staff.get(f"{base}/accounts/{data.account}")).text
    assert (await staff.post(f"{base}/resume")).status_code == 303
    assert "Suspended since" not in (await staff.get(base)).text
    viewer = await client.sign_in(data.distributor, Role.VIEWER)
    assert (await viewer.get(f"{base}/suspend")).status_code == 403
    stranger = await client.sign_in(await client.cast.distributor())
    assert (await stranger.get(f"{base}/suspend")).status_code == 404


async def test_the_rule_is_set_on_its_page(client: AppClient, data: AccountData) -> None:
    admin = await client.sign_in(data.distributor)
    sent = await admin.send(PAGE, {"suspend_overdue_days": "30", "suspension_warning_days": "14, 3"})
    assert sent.status_code == 303
    assert 'value="14, 3"' in (await admin.get(PAGE)).text
    key = await client.key(data.distributor)
    found = (await client.call("GET", "/ext/v1/billing-settings", key)).json()
    assert (found["suspendOverdueDays"], found["suspensionWarningDays"]) == (30, [14, 3])
    for wrong in ({"suspension_warning_days": "often"}, {"suspend_overdue_days": "366"}):
        assert (await admin.send(PAGE, wrong)).status_code == 422
    viewer = await client.sign_in(data.distributor, Role.VIEWER)
    assert "14, 3" in (await viewer.get(PAGE)).text
    assert (await viewer.post(PAGE)).status_code == 403
    assert (await (await client.sign_in(data.partner)).get(PAGE)).status_code == 404
    since = await client.cast.row(
        "select suspension_rule_since from seller_settings where organisation_id = %s", data.distributor.organisation_id
    )
    assert since == (client.clock.now.date(),)
