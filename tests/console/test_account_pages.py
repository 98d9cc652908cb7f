"""What a partner, and its distributor, do with one storage account in the console."""

import csv
import io
from datetime import timedelta

import pytest

from tests.api.conftest import Business
from tests.cast import TB
from tests.console.conftest import Desk, Desks
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

GOOD_PASSWORD = "Sesame-opens-1"


def path_of(business: Business) -> str:
    return f"/partner/accounts/{business.account}"


async def staff(desks: Desks, business: Business) -> Desk:
    return await desks.of(business.partner, Role.STAFF)


async def test_the_first_page_shows_its_facts_and_days(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    page = await desk.get(path_of(business))
    assert page.status_code == 200
    assert str(business.account) in page.text
    assert "https://s3.example.org" in page.text
    assert 'data-value="2026-03-15"' in page.text
    assert f'href="{path_of(business)}/settings"' in page.text


async def test_the_days_are_a_file(desks: Desks, business: Business) -> None:
    desks.house.clock.now += timedelta(days=2)
    desk = await staff(desks, business)
    file = await desk.get(f"{path_of(business)}/usage.csv?from=2026-03-16&to=2026-03-17")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    header, *rows = csv.reader(io.StringIO(file.text.removeprefix("\ufeff")))
    assert header[:3] == ["Day", "Used bytes", "Allocated bytes"]
    assert [row[:3] for row in rows] == [["2026-03-16", "0", str(TB)], ["2026-03-17", "0", str(TB)]]


async def test_name_and_capacity_are_changed(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    path = path_of(business)
    settings = await desk.get(f"{path}/settings")
    assert 'name="allocated" type="number" min="0" step="any" required value="1"' in settings.text
    assert 'data-remaining="10000000000000"' in settings.text
    fields = {"name": "<i>Harbour</i>", "allocated": "2.5", "allocated_unit": "TB", "overdraft": "on"}
    changed = await desk.send(f"{path}/settings", fields)
    assert (changed.status_code, changed.headers["location"]) == (303, path)
    page = await desk.get(path)
    assert "&lt;i&gt;Harbour&lt;/i&gt;" in page.text
    assert "<i>Harbour" not in page.text
    assert "Overdraft allowed" in page.text


async def test_more_than_the_partner_has_is_refused_with_the_numbers(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    fields = {"name": "Harbour", "allocated": "11", "allocated_unit": "TB"}
    refused = await desk.send(f"{path_of(business)}/settings", fields)
    assert refused.status_code == 409
    assert 'id="allocated-error"' in refused.text
    assert 'value="11"' in refused.text
    assert 'value="Harbour"' in refused.text
    nameless = await desk.send(f"{path_of(business)}/settings", {**fields, "name": " ", "allocated": "1"})
    assert nameless.status_code == 422
    assert 'id="name-error"' in nameless.text


async def test_the_password_is_set_and_never_shown_again(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    path = f"{path_of(business)}/password"
    query = "select password_hash from storage_account where id = %s"
    before = await desks.house.cast.row(query, business.account)
    weak = await desk.send(path, {"password": "alllowercase"})
    assert weak.status_code == 422
    assert 'id="password-error"' in weak.text
    assert "alllowercase" not in weak.text
    assert await desks.house.cast.row(query, business.account) == before
    assert (await desk.send(path, {"password": GOOD_PASSWORD})).status_code == 303
    assert await desks.house.cast.row(query, business.account) != before


async def test_it_is_suspended_with_a_reason_and_resumed(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    path = path_of(business)
    assert (await desk.get(f"{path}/resume")).status_code == 303  # there is nothing to resume
    nameless = await desk.send(f"{path}/suspend", {"reason": ""})
    assert nameless.status_code == 422
    assert 'id="reason-error"' in nameless.text
    assert (await desk.send(f"{path}/suspend", {"reason": "Invoice <117>"})).status_code == 303
    assert "Invoice &lt;117&gt;" in (await desk.get(path)).text
    assert 'value="Invoice &lt;117&gt;"' in (await desk.get(f"{path}/suspend")).text
    assert "Invoice &lt;117&gt;" in (await desk.get(f"{path}/resume")).text
    assert (await desk.send(f"{path}/resume")).status_code == 303
    assert "Suspended since" not in (await desk.get(path)).text


async def test_an_admin_deletes_it_and_staff_restore_it(desks: Desks, business: Business) -> None:
    path = path_of(business)
    desk = await staff(desks, business)
    assert f"{path}/delete" not in (await desk.get(f"{path}/settings")).text
    refused = await desk.get(f"{path}/delete")
    assert (refused.status_code, "needs the role admin" in refused.text) == (403, True)
    admin = await desks.of(business.partner)
    assert f"{path}/delete" in (await admin.get(f"{path}/settings")).text
    asked = await admin.get(f"{path}/delete")
    assert "14 Apr 2026" in asked.text  # 30 days of grace
    assert (await admin.send(f"{path}/delete")).status_code == 303
    assert "14 Apr 2026" in (await desk.get(path)).text
    assert (await admin.get(f"{path}/delete")).status_code == 303  # it waits already
    assert (await desk.send(f"{path}/restore")).status_code == 303
    assert "14 Apr 2026" not in (await desk.get(path)).text
    assert (await desk.get(f"{path}/restore")).status_code == 303


async def test_what_is_being_purged_is_neither_changed_nor_restored(desks: Desks, business: Business) -> None:
    path = path_of(business)
    admin = await desks.of(business.partner)
    await admin.send(f"{path}/delete")
    await desks.house.cast.row(
        "update storage_account set purge_started_at = pending_deleted_at where id = %s returning id", business.account
    )
    assert "too late to restore" in (await admin.get(path)).text
    tries = [
        await admin.send(f"{path}/restore"),
        await admin.send(f"{path}/suspend", {"reason": "Late"}),
        await admin.send(f"{path}/password", {"password": GOOD_PASSWORD}),
        await admin.send(f"{path}/settings", {"name": "Late", "allocated": "1", "allocated_unit": "TB"}),
    ]
    assert [one.status_code for one in tries] == [409] * 4
    assert all("being deleted right now; it is too late to change that" in one.text for one in tries)


async def test_a_metered_region_has_no_access_keys_to_give(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    keys = await desk.get(f"{path_of(business)}/access-keys")
    assert "is metered only" in keys.text
    assert "/access-keys/new" not in keys.text
    refused = await desk.send(f"{path_of(business)}/access-keys/new", {"description": "Backup server"})
    assert refused.status_code == 409
    assert 'value="Backup server"' in refused.text
    assert "metered only" in refused.text
    unknown = await desk.post(f"{path_of(business)}/access-keys/TONNAGENOBODY0000000/delete")
    assert unknown.status_code == 404


async def test_a_viewer_of_the_partner_opens_no_account(desks: Desks, business: Business) -> None:
    viewer = await desks.of(business.partner, Role.VIEWER)
    for below in ("", "/usage.csv", "/access-keys", "/settings", "/delete"):
        assert (await viewer.get(path_of(business) + below)).status_code == 403


async def test_numbers_that_are_none_are_not_found(desks: Desks, business: Business) -> None:
    desk = await staff(desks, business)
    for number in ("123456789012", "nonsense", "1", "4%2F5", "９９９９９９９９９９９９"):
        assert (await desk.get(f"/partner/accounts/{number}/settings")).status_code == 404
