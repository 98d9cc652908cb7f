"""A distributor's pages of one partner: allocation, members, accounts, contract, deletion."""

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Role

pytestmark = pytest.mark.anyio


async def opened(client: AppClient, allocated: int = 5 * TB) -> tuple[Actor, Actor, str]:
    """A distributor with a contract of 10 TB, a partner under it, and the path of the partner's pages."""
    await client.cast.region()
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor, 10 * TB, details="First")
    partner = await client.cast.partner(distributor, contract, allocated)
    return distributor, partner, f"/distributor/partners/{partner.organisation_id}"


async def allocation_of(client: AppClient, partner: Actor) -> tuple[int, bool | None]:
    query = "select allocated_capacity, allow_overdraft from partner where id = %s"
    allocated, overdraft = await client.cast.row(query, partner.organisation_id)
    return allocated, overdraft


def size(amount: str, unit: str = "TB") -> dict[str, str]:
    return {"allocated": amount, "allocated_unit": unit}


async def user_of(client: AppClient, browser: Browser, base: str, email: str) -> str:
    fields = {"email": email, "role": "viewer", "password": "Choose-1-yourself"}
    assert (await browser.send(f"{base}/members/new", fields)).status_code == 303
    (member,) = await client.cast.row("select id from member where email = %s", email)
    return f"{base}/members/{member}"


async def test_an_allocation_is_changed_and_an_overdraft_never_set_stays_unset(client: AppClient) -> None:
    distributor, partner, base = await opened(client)
    browser = await client.sign_in(distributor, Role.STAFF)
    page = await browser.get(f"{base}/allocation")
    assert 'value="5"' in page.text
    assert 'data-remaining="10000000000000"' in page.text
    done = await browser.send(f"{base}/allocation", size("7.5"))
    assert (done.status_code, done.headers["location"]) == (303, base)
    assert await allocation_of(client, partner) == (7_500_000_000_000, None)
    await browser.send(f"{base}/allocation", {**size("0"), "overdraft": "on"})
    assert await allocation_of(client, partner) == (0, True)


async def test_an_allocation_refused_says_the_numbers_and_keeps_what_was_typed(client: AppClient) -> None:
    distributor, partner, base = await opened(client)
    await client.cast.account(partner, 3 * TB)
    browser = await client.sign_in(distributor, Role.STAFF)
    for typed, number in (("11", "10"), ("2", "3")):
        refused = await browser.send(f"{base}/allocation", size(typed))
        assert refused.status_code == 409
        assert 'id="allocated-error"' in refused.text
        assert f'value="{typed}"' in refused.text
        assert f"{number}\N{NARROW NO-BREAK SPACE}TB" in refused.text or f"{number} TB" in refused.text
    assert (await browser.send(f"{base}/allocation", size("much"))).status_code == 422
    assert await allocation_of(client, partner) == (5 * TB, None)


async def test_a_user_is_added_changed_and_removed(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    browser = await client.sign_in(distributor)
    user = await user_of(client, browser, base, "first-user@example.org")
    listed = await browser.get(f"{base}/members")
    assert "first-user@example.org" in listed.text
    assert (await browser.send(user, {"name": "<i>Ann</i>", "role": "viewer"})).status_code == 303
    assert "&lt;i&gt;Ann&lt;/i&gt;" in (await browser.get(f"{base}/members")).text
    assert (await browser.send(f"{user}/password", {"password": "Another-2-password"})).status_code == 303
    assert (await browser.send(f"{user}/removal")).status_code == 303
    assert (await browser.get(user)).status_code == 404


async def test_a_user_refused_keeps_what_was_typed_but_no_password(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    browser = await client.sign_in(distributor)
    await user_of(client, browser, base, "taken-user@example.org")
    fields = {"email": "Taken-User@example.org", "name": "Twice", "role": "viewer", "password": "Choose-1-yourself"}
    taken = await browser.send(f"{base}/members/new", fields)
    assert taken.status_code == 409
    assert 'id="email-error"' in taken.text
    assert 'value="Twice"' in taken.text
    assert "Choose-1-yourself" not in taken.text
    weak = await browser.send(f"{base}/members/new", {**fields, "email": "nobody", "password": "weak"})
    assert weak.status_code == 422
    assert 'id="email-error"' in weak.text
    assert 'id="password-error"' in weak.text


async def test_staff_changes_members_and_only_admins_remove_them(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    staff = await client.sign_in(distributor, Role.STAFF)
    user = await user_of(client, staff, base, "kept-user@example.org")
    assert f"{user}/removal" not in (await staff.get(user)).text
    assert (await staff.post(f"{user}/removal")).status_code == 403
    viewer = await client.sign_in(distributor, Role.VIEWER)
    listed = await viewer.get(f"{base}/members")
    assert listed.status_code == 200
    assert user not in listed.text
    assert (await viewer.get(user)).status_code == 403
    assert f"{user}/removal" in (await (await client.sign_in(distributor)).get(user)).text


async def test_staff_neither_makes_nor_takes_over_admins(client: AppClient) -> None:
    """Who sets an admin's password can sign in as that admin."""
    distributor, _, base = await opened(client)
    admin, staff = await client.sign_in(distributor), await client.sign_in(distributor, Role.STAFF)
    user = await user_of(client, admin, base, "their-user@example.org")
    assert (await admin.send(user, {"role": "admin"})).status_code == 303
    shown = (await staff.get(user)).text
    assert "Only your organisation" in shown
    for form in ("", "/password", "/second-factor"):
        assert f'action="{user}{form}"' not in shown
        assert (await staff.post(f"{user}{form}", {"password": "Another-2-password"})).status_code == 403, form
    for form in ("/password", "/second-factor"):
        assert f'href="{user}{form}"' not in shown
        assert (await staff.get(f"{user}{form}")).status_code == 403, form
    other = await user_of(client, staff, base, "other-user@example.org")
    for path, fields in (
        (other, {"role": "admin"}),
        (f"{base}/members/new", {"email": "new-user@example.org", "role": "admin", "password": "Choose-1-yourself"}),
    ):
        assert 'value="admin"' in (await admin.get(path)).text
        assert 'value="admin"' not in (await staff.get(path)).text
        assert (await staff.send(path, fields)).status_code == 403
    assert await client.cast.row("select count(*) from member where email = 'new-user@example.org'") == (0,)
    assert await client.cast.row("select role from member where email = 'other-user@example.org'") != ("admin",)


async def test_a_member_of_the_own_team_is_no_user_of_a_partner(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    browser = await client.sign_in(distributor)
    assert (await browser.get(f"{base}/members/{browser.member_id}")).status_code == 404
    own = f"/distributor/partners/{distributor.organisation_id}/members"
    for path in (
        "",
        "/new",
        *(f"/{browser.member_id}{page}" for page in ("", "/password", "/second-factor", "/removal")),
    ):
        assert (await browser.get(f"{own}{path}")).status_code == 404, path
    assert (
        await browser.post(f"{own}/{browser.member_id}/password", {"password": "Choose-1-yourself"})
    ).status_code == 404


async def test_a_partner_is_renamed(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    browser = await client.sign_in(distributor, Role.STAFF)
    assert (await browser.send(f"{base}/settings", {"name": "Renamed & Co"})).status_code == 303
    assert "Renamed &amp; Co" in (await browser.get(base)).text
    refused = await browser.send(f"{base}/settings", {"name": "x" * 201})
    assert refused.status_code == 422
    assert 'id="name-error"' in refused.text


async def test_a_partner_moves_only_where_there_is_room_and_the_same_currency(client: AppClient) -> None:
    distributor, partner, base = await opened(client)
    cast = client.cast
    browser = await client.sign_in(distributor, Role.STAFF)
    assert "no other contract in EUR" in (await browser.get(f"{base}/move")).text
    small = await cast.contract(distributor, 2 * TB, details="Small")
    large = await cast.contract(distributor, 20 * TB, details="Large")
    dollars = await cast.contract(distributor, 20 * TB, currency="USD", details="Dollars")
    page = await browser.get(f"{base}/move")
    assert str(large) in page.text
    assert str(dollars) not in page.text
    refused = await browser.send(f"{base}/move", {"contract": str(small)})
    assert refused.status_code == 409
    assert 'id="contract-error"' in refused.text
    assert (await browser.send(f"{base}/move")).status_code == 422
    assert (await browser.send(f"{base}/move", {"contract": str(large)})).status_code == 303
    assert await cast.row("select contract_id from partner where id = %s", partner.organisation_id) == (large,)


async def test_only_an_empty_partner_is_deleted(client: AppClient) -> None:
    distributor, partner, base = await opened(client)
    browser = await client.sign_in(distributor)
    assert (await (await client.sign_in(distributor, Role.STAFF)).get(f"{base}/delete")).status_code == 403
    await client.cast.account(partner, TB)
    refused = await browser.send(f"{base}/delete")
    assert refused.status_code == 409
    assert "1 storage account" in refused.text
    assert f"{base}/delete" not in (await browser.get(f"{base}/settings")).text
    empty = await client.cast.partner(distributor, await client.cast.contract(distributor))
    path = f"/distributor/partners/{empty.organisation_id}"
    assert (await browser.send(f"{path}/delete")).status_code == 303
    assert (await browser.get(path)).status_code == 404


async def test_storage_accounts_are_listed_and_opened(client: AppClient) -> None:
    distributor, partner, base = await opened(client)
    account = await client.cast.account(partner, TB, name="=HYPERLINK()")
    number = f"{account:012}"
    staff = await client.sign_in(distributor, Role.STAFF)
    assert f'href="{base}/accounts/{number}"' in (await staff.get(f"{base}/accounts")).text
    assert (await staff.get(f"{base}/accounts/{number}")).status_code == 200
    assert (await staff.get(f"{base}/accounts/{number}/delete")).status_code == 403
    assert "'=HYPERLINK()" in (await staff.get(f"{base}/accounts.csv")).text
    viewer = await client.sign_in(distributor, Role.VIEWER)
    listed = await viewer.get(f"{base}/accounts")
    assert "=HYPERLINK()" in listed.text
    assert f'href="{base}/accounts/{number}"' in listed.text
    assert (await viewer.get(f"{base}/accounts/{number}")).status_code == 200


async def test_a_distributors_staff_opens_an_account_for_a_partner(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    staff = await client.sign_in(distributor, Role.STAFF)
    assert f'href="{base}/accounts/new"' in (await staff.get(f"{base}/accounts")).text
    assert 'data-remaining="5000000000000"' in (await staff.get(f"{base}/accounts/new")).text
    fields = {"name": "Harbour", "email": "harbour@example.org", "password": "Sesame-opens-1"}
    refused = await staff.send(f"{base}/accounts/new", {**fields, **size("6")})
    assert refused.status_code == 409
    assert 'id="allocated-error"' in refused.text
    made = await staff.send(f"{base}/accounts/new", {**fields, **size("2")})
    assert made.status_code == 303
    assert made.headers["location"].startswith(f"{base}/accounts/")
    assert "Harbour" in (await staff.get(made.headers["location"])).text


async def test_only_its_distributor_creates_an_account_for_it(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    viewer = await client.sign_in(distributor, Role.VIEWER)
    assert f"{base}/accounts/new" not in (await viewer.get(f"{base}/accounts")).text
    assert (await viewer.get(f"{base}/accounts/new")).status_code == 403
    stranger = await client.sign_in(await client.cast.distributor())
    assert (await stranger.get(f"{base}/accounts/new")).status_code == 404
    fields = {"name": "Harbour", "email": "bay@example.org", "password": "Sesame-opens-1", **size("2")}
    assert (await stranger.post(f"{base}/accounts/new", fields)).status_code == 404
    own = f"/distributor/partners/{distributor.organisation_id}/accounts/new"
    assert (await (await client.sign_in(distributor)).get(own)).status_code == 404


async def test_usage_has_a_day_for_each_of_the_range_and_the_same_in_its_file(client: AppClient) -> None:
    distributor, _, base = await opened(client)
    browser = await client.sign_in(distributor, Role.VIEWER)
    page = await browser.get(f"{base}?from=2026-03-01&to=2026-03-15")
    assert page.text.count('data-value="2026-03-') == 1  # created on the 15th
    csv = await browser.get(f"{base}/usage.csv?from=2026-03-01&to=2026-03-15")
    assert csv.text.splitlines()[1:] == ["2026-03-15,0,5000000000000,0"]
    before = await browser.get(f"{base}?from=2026-02-01&to=2026-02-02")
    assert "No days in this date range" in before.text
    assert (await browser.get(f"{base}?from=2020-01-01&to=2026-03-15")).text.count("400") >= 1
