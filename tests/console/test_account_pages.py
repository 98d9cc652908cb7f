"""The pages of one storage account in the console, for its partner and its distributor."""

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

GOOD_PASSWORD = "Sesame-opens-1"


def path_of(data: AccountData) -> str:
    return f"/partner/accounts/{data.account}"


async def staff(client: AppClient, data: AccountData) -> Browser:
    return await client.sign_in(data.partner, Role.STAFF)


async def test_the_first_page_shows_its_facts_and_days(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    page = await browser.get(path_of(data))
    assert page.status_code == 200
    assert str(data.account) in page.text
    (url,) = await client.cast.row(
        "select s3_url from region r join storage_account a on a.region_id = r.id where a.id = %s", data.account
    )
    assert url in page.text
    assert 'data-value="2026-03-15"' in page.text
    assert f'href="{path_of(data)}/settings"' in page.text


async def test_the_days_are_a_file(client: AppClient, data: AccountData) -> None:
    client.clock.now += timedelta(days=2)
    browser = await staff(client, data)
    file = await browser.get(f"{path_of(data)}/usage.csv?from=2026-03-16&to=2026-03-17")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    header, *rows = csv.reader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert header[:3] == ["Day", "Used bytes", "Allocated bytes"]
    assert [row[:3] for row in rows] == [["2026-03-16", "0", str(TB)], ["2026-03-17", "0", str(TB)]]


async def test_name_and_capacity_are_changed(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    path = path_of(data)
    settings = await browser.get(f"{path}/settings")
    assert 'name="allocated" type="text" inputmode="decimal" required value="1"' in settings.text
    assert 'data-remaining="10000000000000"' in settings.text
    fields = {"name": "<i>Harbour</i>", "allocated": "2.5", "allocated_unit": "TB", "overdraft": "on"}
    changed = await browser.send(f"{path}/settings", fields)
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    page = await browser.get(path)
    assert "&lt;i&gt;Harbour&lt;/i&gt;" in page.text
    assert "<i>Harbour" not in page.text
    assert "Overdraft allowed" in page.text


async def test_more_than_the_partner_has_is_refused_with_the_numbers(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    fields = {"name": "Harbour", "allocated": "11", "allocated_unit": "TB"}
    refused = await browser.send(f"{path_of(data)}/settings", fields)
    assert refused.status_code == 409
    assert 'id="allocated-error"' in refused.text
    assert 'value="11"' in refused.text
    assert 'value="Harbour"' in refused.text
    nameless = await browser.send(f"{path_of(data)}/settings", {**fields, "name": " ", "allocated": "1"})
    assert nameless.status_code == 422
    assert 'id="name-error"' in nameless.text


async def test_the_password_is_set_and_never_shown_again(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    path = f"{path_of(data)}/password"
    query = "select password_hash from storage_account where id = %s"
    before = await client.cast.row(query, data.account)
    weak = await browser.send(path, {"password": "alllowercase"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert "alllowercase" not in weak.text
    assert await client.cast.row(query, data.account) == before
    assert (await browser.send(path, {"password": GOOD_PASSWORD})).status_code == 303
    assert await client.cast.row(query, data.account) != before


async def test_it_is_suspended_with_a_reason_and_resumed(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    path = path_of(data)
    assert (await browser.get(f"{path}/resume")).status_code == 303  # there is nothing to resume
    nameless = await browser.send(f"{path}/suspend", {"reason": ""})
    assert nameless.status_code == 422
    assert 'id="reason-error"' in nameless.text
    assert (await browser.send(f"{path}/suspend", {"reason": "Invoice <117>"})).status_code == 303
    assert "Invoice &lt;117&gt;" in (await browser.get(path)).text
    assert 'value="Invoice &lt;117&gt;"' in (await browser.get(f"{path}/suspend")).text
    assert "Invoice &lt;117&gt;" in (await browser.get(f"{path}/resume")).text
    assert (await browser.send(f"{path}/resume")).status_code == 303
    assert "Suspended since" not in (await browser.get(path)).text


async def test_an_admin_deletes_it_and_staff_restore_it(client: AppClient, data: AccountData) -> None:
    path = path_of(data)
    browser = await staff(client, data)
    assert f"{path}/delete" not in (await browser.get(f"{path}/settings")).text
    refused = await browser.get(f"{path}/delete")
    assert (refused.status_code, "needs the role admin" in refused.text) == (403, True)
    admin = await client.sign_in(data.partner)
    assert f"{path}/delete" in (await admin.get(f"{path}/settings")).text
    asked = await admin.get(f"{path}/delete")
    assert "14 Apr 2026" in asked.text  # 30 days of grace
    assert (await admin.send(f"{path}/delete")).status_code == 303
    assert "14 Apr 2026" in (await browser.get(path)).text
    assert (await admin.get(f"{path}/delete")).status_code == 303  # it is already scheduled
    assert (await browser.send(f"{path}/restore")).status_code == 303
    assert "14 Apr 2026" not in (await browser.get(path)).text
    assert (await browser.get(f"{path}/restore")).status_code == 303


async def test_what_is_being_purged_is_neither_changed_nor_restored(client: AppClient, data: AccountData) -> None:
    path = path_of(data)
    admin = await client.sign_in(data.partner)
    await admin.send(f"{path}/delete")
    await client.cast.row(
        "update storage_account set purge_started_at = pending_deleted_at where id = %s returning id", data.account
    )
    assert "too late to restore" in (await admin.get(path)).text
    tries = [
        await admin.send(f"{path}/restore"),
        await admin.send(f"{path}/suspend", {"reason": "Late"}),
        await admin.send(f"{path}/password", {"password": GOOD_PASSWORD}),
        await admin.send(f"{path}/settings", {"name": "Late", "allocated": "1", "allocated_unit": "TB"}),
    ]
    assert [one.status_code for one in tries] == [409] * 4
    assert all("being deleted and can no longer be changed or restored" in one.text for one in tries)


async def test_a_metered_region_has_no_access_keys_to_give(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    keys = await browser.get(f"{path_of(data)}/access-keys")
    assert "is metered only" in keys.text
    assert "/access-keys/new" not in keys.text
    refused = await browser.send(f"{path_of(data)}/access-keys/new", {"description": "Backup server"})
    assert refused.status_code == 409
    assert 'value="Backup server"' in refused.text
    assert "metered only" in refused.text
    unknown = await browser.post(f"{path_of(data)}/access-keys/TONNAGENOBODY0000000/delete")
    assert unknown.status_code == 404


@pytest.mark.parametrize("audience", ["partner", "distributor"])
async def test_a_viewer_reads_all_of_an_account_and_is_offered_no_change(
    client: AppClient, data: AccountData, audience: str
) -> None:
    """As with a viewer's key: details, never secrets."""
    actor = data.partner if audience == "partner" else data.distributor
    base = "/partner" if audience == "partner" else f"/distributor/partners/{data.partner.organisation_id}"
    viewer, path = await client.sign_in(actor, Role.VIEWER), f"{base}/accounts/{data.account}"
    # What is sold to an account is its partner's business.
    pages = {"", "/usage.csv", "/access-keys", *({"/billing-profile", "/prices"} if audience == "partner" else ())}
    for below in pages:
        answer = await viewer.get(path + below)
        assert answer.status_code == 200, below
        offered = re.findall(rf'(?:href|action)="{re.escape(path)}([^"?]*)', answer.text)
        assert set(offered) <= pages, below
    for below in ("/settings", "/password", "/suspend", "/delete", "/restore", "/access-keys/new"):
        assert (await viewer.get(path + below)).status_code == 403, below


async def test_invalid_account_ids_are_not_found(client: AppClient, data: AccountData) -> None:
    browser = await staff(client, data)
    for number in ("123456789012", "nonsense", "1", "4%2F5", "９９９９９９９９９９９９"):
        assert (await browser.get(f"/partner/accounts/{number}/settings")).status_code == 404
