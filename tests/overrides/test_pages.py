"""The pages of overrides: granted, replaced and ended from what the reader has seen; what other pages say of them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data
from tests.cast import NOW
from tonnage.access.actor import Role
from tonnage.overrides import actions

pytestmark = pytest.mark.anyio

OF_PARTNER = "/distributor/partners/{partner}"
FORM = {"capacity": "5 TB", "until": "2026-03-20", "reason": "Migration", "free": "on", "present": ""}


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    return await account_data(client)


def shown_present(page: str) -> str:
    return page.partition('name="present" value="')[2].partition('"')[0]


@pytest.mark.parametrize("of_partner", [False, True])
async def test_a_form_replaces_only_what_it_has_shown(client: AppClient, data: AccountData, of_partner: bool) -> None:
    staff = await client.sign_in(data.distributor, Role.STAFF)
    partner = f"/distributor/partners/{data.partner.organisation_id}"
    path = f"{partner}/override" if of_partner else f"{partner}/accounts/{data.account}/override"
    form = {**FORM, "capacity": "20 TB" if of_partner else "5 TB"}
    assert shown_present((await staff.get(path)).text) == ""
    assert (await staff.send(path, form)).status_code == 303
    stale = await staff.send(path, {**form, "reason": "Another"})
    assert stale.status_code == 409
    present = shown_present(stale.text)
    assert present
    for answer in (await staff.send(f"{path}/end", {"present": ""}), await staff.send(f"{path}/end", {})):
        assert answer.status_code == 409
    assert (await staff.send(path, {**form, "present": present, "reason": "Another"})).status_code == 303
    page = (await staff.get(path)).text
    assert "Another" in page
    assert (await staff.send(f"{path}/end", {"present": shown_present(page)})).status_code == 303
    assert shown_present((await staff.get(path)).text) == ""


async def test_wrong_input_is_said_at_its_field(client: AppClient, data: AccountData) -> None:
    staff = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/override"
    for field, text, said in (
        ("until", "2026-06-14", "must be at most 90 days from today"),
        ("until", "2026-03-14", "must be today or later"),
        ("capacity", "1 TB", "must be more than the allocation"),
        ("capacity", "11 TB", "Not enough capacity"),
        ("reason", "", "is required"),
    ):
        refused = await staff.send(path, {**FORM, field: text})
        assert refused.status_code in {409, 422}
        error = refused.text.partition(f'id="{field}-error">')[2].partition("<")[0]
        assert said in error, (field, text)
        assert f'value="{text}"' in refused.text or field == "capacity"


async def test_every_audience_sees_an_override_and_when_it_is_over(client: AppClient, data: AccountData) -> None:
    paths = {
        data.partner: [f"/partner/accounts/{data.account}", "/partner/usage", "/partner/accounts"],
        data.distributor: [f"{OF_PARTNER}/accounts/{data.account}", OF_PARTNER],
        client.cast.operator: ["/operator/partners/{partner}"],
    }

    async def texts() -> list[str]:
        """With sessions of the present time."""
        partner = data.partner.organisation_id
        name = f"{client.clock.now}"
        readers = {actor: await client.sign_in(actor, name=name) for actor in paths}
        return [
            (await readers[actor].get(path.format(partner=partner))).text
            for actor, of_actor in paths.items()
            for path in of_actor
        ]

    owner, seller = await client.sign_in(data.partner), await client.sign_in(data.distributor)
    await owner.send(f"/partner/accounts/{data.account}/override", FORM)
    path = f"{OF_PARTNER}/override".format(partner=data.partner.organisation_id)
    await seller.send(path, {**FORM, "capacity": "20 TB"})
    for page in await texts():
        assert re.search("Override: <span.*20 Mar", page)
    client.clock.now = datetime(2026, 3, 21, tzinfo=UTC)
    for page in await texts():
        assert "Not applied to the storage cluster yet." in page
    await actions.end_due(client.cast.database, client.clock.now)
    for page in await texts():
        assert "Not applied" not in page
        assert "Override:" not in page


async def test_a_viewer_is_offered_nothing(client: AppClient, data: AccountData) -> None:
    staff, viewer = await client.sign_in(data.partner), await client.sign_in(data.partner, Role.VIEWER)
    path = f"/partner/accounts/{data.account}"
    await staff.send(f"{path}/override", FORM)
    assert f'href="{path}/override"' in (await staff.get(path)).text
    assert f'href="{path}/override"' not in (await viewer.get(path)).text
    assert (await viewer.get(f"{path}/override")).status_code == 403


async def test_the_api_grants_lists_and_ends(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    path = f"/ext/v1/storage-account/{data.account}"
    body: dict[str, Any] = {"capacity": 5 * 10**12, "until": "2026-03-20", "reason": "Migration"}
    granted = await client.call("PUT", f"{path}/override", key, json=body)
    assert granted.status_code == 200
    document = granted.json()
    assert document == {"id": document["id"], **body, "free": False, "since": "2026-03-15T12:00:00Z"}
    stale = await client.call("DELETE", f"{path}/override", key, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await client.call("DELETE", f"{path}/override", key)).status_code == 204
    [listed] = (await client.call("GET", f"{path}/overrides", key)).json()
    assert listed == {**document, "endedAt": "2026-03-15T12:00:00Z"}
    for wrong, status in (
        ({"until": "2026-06-14"}, 422),
        ({"until": "tomorrow"}, 422),
        ({"capacity": 10**12}, 422),
        ({"capacity": 11 * 10**12}, 409),
        ({"reason": " "}, 422),
    ):
        assert (await client.call("PUT", f"{path}/override", key, json={**body, **wrong})).status_code == status


async def test_reports_have_the_capacity_of_the_days_on_which_it_ran(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    path = f"/ext/v1/storage-account/{data.account}"
    await client.call(
        "PUT", f"{path}/override", key, json={"capacity": 5 * 10**12, "until": "2026-03-17", "reason": "Migration"}
    )
    client.clock.now = NOW + timedelta(days=5)
    found = await client.call(
        "GET", f"/v1/storage-account/{data.account}/usage", key, params={"from": "2026-03-15", "to": "2026-03-20"}
    )
    [element] = found.json() if isinstance(found.json(), list) else [found.json()]
    assert element["allocated_capacity"] == 10**12
    assert [day["allocated_capacity"] // 10**12 for day in element["daily_usage"]] == [5, 5, 5, 1, 1, 1]


async def test_what_remains_for_other_accounts_is_without_what_overrides_hold(
    client: AppClient, data: AccountData
) -> None:
    """10 TB, of which one account has 1 TB and an override of 5."""
    key, staff = await client.key(data.partner), await client.sign_in(data.partner)
    await staff.send(f"/partner/accounts/{data.account}/override", FORM)
    assert (await client.call("GET", "/ext/v1/partner", key)).json()["remaining"] == 5 * 10**12
    assert f'data-remaining="{5 * 10**12}"' in (await staff.get("/partner/accounts/new")).text
    path = f"/distributor/partners/{data.partner.organisation_id}/override"
    await (await client.sign_in(data.distributor)).send(path, {**FORM, "capacity": "20 TB"})
    assert (await client.call("GET", "/ext/v1/partner", key)).json()["remaining"] == 9 * 10**12
