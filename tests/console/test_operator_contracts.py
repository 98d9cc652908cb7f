"""Contracts and distributors in the operator's console."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB, unique
from tests.console.browsers import Browser
from tonnage.access.actor import Role
from tonnage.contracts.lists import TERMS, contract_terms
from tonnage.partners.actions import close_distributor, close_partner
from tonnage.web.list_state import read_list_state

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(client: AppClient) -> Browser:
    return await client.sign_in(client.cast.operator)


def contract(**other: str) -> dict[str, str]:
    return {"details": "Disks", "reserved": "20", "reserved_unit": "TB", "price": "95.5", "currency": "eur", **other}


async def test_a_distributor_is_created_and_gets_its_first_admin(client: AppClient, admin: Browser) -> None:
    name = unique("<i>Disks & Co</i>")
    made = await admin.send("/operator/distributors/new", {"name": name})
    assert made.status_code == 303
    path = made.headers["location"]
    page = await admin.get(path)
    assert name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page.text
    assert "<i>Disks" not in page.text
    member = {"email": f"{uuid4().hex}@example.org", "name": "Ann", "role": "admin", "password": "Choose-1-yourself"}
    team = path.replace("/distributors/", "/members/")
    assert f'href="{team}/new"' in page.text
    added = await admin.send(f"{team}/new", member)
    assert (added.status_code, added.headers["location"]) == (303, team)
    assert member["email"] in (await admin.get(path)).text
    assert member["email"] in (await admin.get(f"/operator/members?q={member['email']}")).text


async def test_a_distributor_without_a_name_is_refused(admin: Browser) -> None:
    refused = await admin.send("/operator/distributors/new", {"name": " "})
    assert refused.status_code == 422
    assert 'id="name-error"' in refused.text


async def test_a_contract_is_signed(client: AppClient, admin: Browser) -> None:
    distributor = await client.cast.distributor()
    chosen = await admin.get(f"/operator/contracts/new?distributor={distributor.organisation_id}")
    assert f'value="{distributor.organisation_id}" selected' in chosen.text
    made = await admin.send("/operator/contracts/new", contract(distributor=str(distributor.organisation_id)))
    assert made.status_code == 303
    page = (await admin.get(made.headers["location"])).text
    assert "20\N{NARROW NO-BREAK SPACE}TB" in page
    assert "€0.955 / GB-month" in page


async def test_a_refused_contract_keeps_what_was_typed_and_names_the_fields(admin: Browser) -> None:
    refused = await admin.send("/operator/contracts/new", contract(distributor="", price="dear", currency="euros"))
    assert refused.status_code == 422
    for field in ("distributor", "price", "currency"):
        assert f'id="{field}-error"' in refused.text
    for typed in ("Disks", "20", "dear", "euros"):
        assert f'value="{typed}"' in refused.text
    nobody = await admin.send("/operator/contracts/new", contract(distributor=str(uuid4())))
    assert nobody.status_code == 422
    assert 'id="distributor-error"' in nobody.text


@pytest.mark.parametrize("currency", ["XXX", "zzz", "XAU"])
async def test_a_contract_is_in_a_real_currency(client: AppClient, admin: Browser, currency: str) -> None:
    distributor = (await client.cast.distributor()).organisation_id
    fields = contract(distributor=str(distributor), currency=currency)
    refused = await admin.send("/operator/contracts/new", fields)
    assert refused.status_code == 422
    assert 'id="currency-error"' in refused.text
    assert f'value="{currency}"' in refused.text
    assert await client.cast.row("select count(*) from contract where distributor_id = %s", distributor) == (0,)


async def test_an_amended_contract_shows_what_applied_before(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    signed = await cast.contract(await cast.distributor(), 10 * TB, details="Before")
    path = f"/operator/contracts/{signed}"
    assert 'value="10"' in (await admin.get(path)).text
    client.clock.now += timedelta(minutes=5)
    changed = {"details": "After", "reserved": "12.5", "reserved_unit": "TB", "price": "0.5"}
    assert (await admin.send(path, changed)).status_code == 303
    page = (await admin.get(path)).text
    assert "After" in page
    assert (
        page.count("12.5\N{NARROW NO-BREAK SPACE}TB") == 5
    )  # reserved, remaining, among the terms and their change, form
    assert "Excess price from €1.00 / GB-month (€1,000.00 / TB) to €0.005 / GB-month (€5.00 / TB)" in page
    found = await cast.database.run(contract_terms, None, signed, read_list_state(TERMS, {}))
    now, before = found.rows
    assert (now.valid_from, now.reserved, str(now.price_cents), now.currency) == (
        client.clock.now, 125 * TB // 10, "0.5", "EUR",
    )  # fmt: skip
    assert (before.valid_from, before.reserved, before.price_cents) == (cast.now, 10 * TB, 100)


async def test_a_contract_does_not_go_below_what_is_allocated(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    signed = await cast.contract(distributor, 10 * TB)
    await cast.partner(distributor, signed, 4 * TB)
    less = {"details": "Less", "reserved": "3", "reserved_unit": "TB", "price": "100"}
    refused = await admin.send(f"/operator/contracts/{signed}", less)
    assert refused.status_code == 409
    assert 'id="reserved-error"' in refused.text
    assert "4 TB" in refused.text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert 'value="3"' in refused.text
    assert 'value="Less"' in refused.text
    unreadable = await admin.send(f"/operator/contracts/{signed}", {**less, "reserved": "much"})
    assert unreadable.status_code == 422
    assert 'id="reserved-error"' in unreadable.text


async def test_terms_of_an_unknown_contract(client: AppClient) -> None:
    found = await client.cast.database.run(contract_terms, None, uuid4(), read_list_state(TERMS, {}))
    assert (found.rows, found.total) == ([], 0)


@pytest.mark.parametrize("path", ["distributors/new", "contracts/new", "regions/new"])
async def test_only_admins_make_things(client: AppClient, path: str) -> None:
    staff = await client.sign_in(client.cast.operator, Role.STAFF)
    refused = await staff.get(f"/operator/{path}")
    assert refused.status_code == 403
    assert "needs the role admin" in refused.text
    assert (await staff.post(f"/operator/{path}", {"name": "x"})).status_code == 403


async def test_staff_sees_no_button_that_it_may_not_use(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    signed: UUID = await cast.contract(distributor)
    staff = await client.sign_in(cast.operator, Role.STAFF)
    for path, button in (
        ("distributors", "Create distributor"),
        (f"distributors/{distributor.organisation_id}", "Add member"),
        ("contracts", "Sign contract"),
        (f"contracts/{signed}", "Amend contract"),
        ("regions", "Add region"),
    ):
        assert button in (await admin.get(f"/operator/{path}")).text
        assert button not in (await staff.get(f"/operator/{path}")).text
    assert (await staff.post(f"/operator/contracts/{signed}", {"reserved": "1"})).status_code == 403


async def test_a_distributor_is_closed_and_still_found(client: AppClient, admin: Browser) -> None:
    cast = client.cast
    distributor = await cast.distributor(f"<i>Closed</i> {uuid4().hex}")
    path = f"/operator/distributors/{distributor.organisation_id}"
    contract = await cast.contract(distributor, details="Framework")
    partner = await cast.partner(distributor, contract)
    form = await admin.form(f"/operator/contracts/{contract}")
    asked = await admin.get(f"{path}/close")
    assert "still has 1 partner. You can close it only when it has none." in asked.text
    assert ">Close distributor</button>" not in asked.text
    refused = await admin.send(f"{path}/close")
    assert refused.status_code == 409
    assert "Delete them first; you can do it with `tonnage partner close`." in refused.text
    await cast.database.run(close_partner, distributor, partner.organisation_id, cast.now)
    assert ">Close distributor</button>" in (await admin.get(f"{path}/close")).text
    closed = await admin.send(f"{path}/close")
    assert (closed.status_code, closed.headers["location"]) == (303, path)
    assert (await admin.get(f"{path}/close")).headers["location"] == path
    page = (await admin.get(path)).text
    assert "Its contracts ended with it." in page
    assert "Framework" in page
    assert "<i>Closed" not in page
    for button in ("/close", "/lock", "/keys", "/new"):
        assert f"{distributor.organisation_id}{button}" not in page
    ended = (await admin.get(f"/operator/contracts/{contract}")).text
    assert "when the distributor was closed." in ended
    assert "Amend contract" not in ended
    amended = {**form, "details": "New", "reserved": "100", "reserved_unit": "TB", "price": "100"}
    assert (await admin.submit(f"/operator/contracts/{contract}", amended)).status_code == 404
    for page in ("lock", "unlock", "keys"):
        assert (await admin.get(f"{path}/{page}")).status_code == 404


async def test_closed_distributors_are_a_list_of_their_own(client: AppClient, admin: Browser) -> None:
    cast, word = client.cast, uuid4().hex
    distributor, other = await cast.distributor(f"Gone {word}"), await cast.distributor(f"There {word}")
    await cast.database.run(close_distributor, cast.operator, distributor.organisation_id, cast.now)
    for kind in ("", ".csv"):
        for show, shown in (("", other), ("closed", distributor)):
            listed = (await admin.get(f"/operator/distributors{kind}?q={word}&show={show}")).text
            assert [str(one.organisation_id) in listed for one in (distributor, other)] == [
                one is shown for one in (distributor, other)
            ]
    assert str(distributor.organisation_id) not in (await admin.get("/operator/contracts/new")).text
