"""A partner's storage accounts in the console: the list, the creation, and the usage of all of them."""

import csv
import io

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB, unique
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

PASSWORD = "Sesame-opens-1"


def typed(**changes: str) -> dict[str, str]:
    email = f"{unique('it').replace(' ', '')}@example.org"
    fields = {"name": "Harbour", "email": email, "password": PASSWORD, "allocated": "2", "allocated_unit": "TB"}
    return {**fields, **changes}


def table_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_an_account_is_created_and_in_the_list(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner, Role.STAFF)
    made = await browser.send("/partner/accounts/new", typed(name="<b>Harbour</b>"))
    assert made.status_code == 303
    listed = await browser.get("/partner/accounts")
    assert "&lt;b&gt;Harbour&lt;/b&gt;" in listed.text
    assert "<b>Harbour" not in listed.text
    assert f'href="{made.headers["location"]}"' in listed.text
    assert "Storage account created" in listed.text
    assert (await browser.get(made.headers["location"])).status_code == 200


async def test_what_is_refused_keeps_what_was_typed_and_names_the_field(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner, Role.STAFF)
    too_much = await browser.send("/partner/accounts/new", typed(allocated="9.5", overdraft="on"))
    assert too_much.status_code == 409
    assert 'id="allocated-error"' in too_much.text
    assert 'id="email-error"' not in too_much.text
    assert 'value="9.5"' in too_much.text
    assert 'name="overdraft" checked' in too_much.text
    assert PASSWORD not in too_much.text
    first = typed()
    assert (await browser.send("/partner/accounts/new", first)).status_code == 303
    taken = await browser.send("/partner/accounts/new", first)
    assert taken.status_code == 409
    assert 'id="email-error"' in taken.text
    assert 'id="allocated-error"' not in taken.text
    broken = await browser.send("/partner/accounts/new", typed(email="nobody", password="short", allocated="much"))
    assert broken.status_code == 422
    for field in ("email", "password", "allocated"):
        assert f'id="{field}-error"' in broken.text


async def test_the_remainder_is_that_of_the_partner(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner, Role.STAFF)
    assert 'data-remaining="9000000000000"' in (await browser.get("/partner/accounts/new")).text
    distributor = data.distributor
    unlimited = await client.cast.partner(distributor, data.contract)
    assert "data-remaining" not in (await (await client.sign_in(unlimited)).get("/partner/accounts/new")).text


async def test_a_region_is_chosen_where_there_are_several(client: AppClient, data: AccountData) -> None:
    other = await client.cast.region()
    browser = await client.sign_in(data.partner, Role.STAFF)
    assert f'<option value="{other}"' in (await browser.get("/partner/accounts/new")).text
    made = await browser.send("/partner/accounts/new", typed(region=other))
    assert made.status_code == 303
    assert other in (await browser.get(made.headers["location"])).text


async def test_a_viewer_sees_lists_and_usage_without_ways_to_change_them(client: AppClient, data: AccountData) -> None:
    viewer = await client.sign_in(data.partner, Role.VIEWER)
    listed = await viewer.get("/partner/accounts")
    assert listed.status_code == 200
    assert str(data.account) in listed.text
    assert f'href="/partner/accounts/{data.account}"' in listed.text
    assert "/partner/accounts/new" not in listed.text
    assert (await viewer.get("/partner/accounts/new")).status_code == 403
    assert (await viewer.get("/partner/usage")).status_code == 200
    assert (await viewer.get("/partner/usage.csv")).status_code == 200
    assert (await viewer.get("/partner/accounts.csv")).status_code == 200


async def test_the_list_is_searched_filtered_and_sorted_and_so_is_its_file(
    client: AppClient, data: AccountData
) -> None:
    cast, partner = client.cast, data.partner
    await cast.account(partner, 3 * TB, name="Anchor")
    await cast.account(partner, 0, name="=cmd|' /C calc'!A0")
    await cast.account(partner, 2 * TB, name="anchovy & Sons")
    browser = await client.sign_in(partner, Role.VIEWER)
    query = "?q=ANCH&sort=allocated.asc&from=2026-03-01&to=2026-03-15"
    page = await browser.get(f"/partner/accounts{query}")
    assert page.text.index("anchovy &amp; Sons") < page.text.index("Anchor")
    assert "from=2026-03-01" in page.text.split('id="list"')[1]
    header, *rows = table_of((await browser.get(f"/partner/accounts.csv{query}")).text)
    assert header[0] == "Company"
    assert [row[0] for row in rows] == ["anchovy & Sons", "Anchor"]
    _, evil = table_of((await browser.get("/partner/accounts.csv?show=pay-per-use")).text)
    assert evil[0].startswith("'=cmd")
    nothing = await browser.get("/partner/accounts?q=nowhere")
    assert "No matching storage accounts" in nothing.text


async def test_the_cards_say_what_there_is(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner, Role.VIEWER)
    page = await browser.get("/partner/accounts")
    assert "1\N{NARROW NO-BREAK SPACE}TB of 10\N{NARROW NO-BREAK SPACE}TB allocated to storage accounts" in page.text
    payer = await client.cast.partner(data.distributor, data.contract)
    page = await (await client.sign_in(payer)).get("/partner/accounts")
    assert "Pay-per-use" in page.text
    assert "No storage accounts yet" in page.text


async def test_the_usage_of_all_accounts_by_the_day(client: AppClient, data: AccountData) -> None:
    browser = await client.sign_in(data.partner, Role.VIEWER)
    page = await browser.get("/partner/usage")
    assert 'data-value="2026-03-15"' in page.text
    assert table_of((await browser.get("/partner/usage.csv")).text) == [
        ["Day", "Used bytes", "Allocated bytes", "Excess bytes"],
        ["2026-03-15", "0", str(10 * TB), "0"],
    ]
    earlier = await browser.get("/partner/usage?from=2026-01-01&to=2026-01-31")
    assert "No days in this date range" in earlier.text
    backwards = await browser.get("/partner/usage?from=2026-03-15&to=2026-03-01")
    assert "from must not be later than to" in backwards.text
