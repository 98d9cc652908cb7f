"""The pages of caps: set, replaced and removed from what the reader has seen; what other pages say of them."""

from decimal import Decimal

import pytest

from tests.api.changes import allow_overdraft
from tests.api.conftest import AccountData, AppClient, account_data
from tests.cast import NOW, TB
from tests.console.browsers import Browser
from tests.console.test_statements import text
from tonnage.access.actor import Role
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap

pytestmark = pytest.mark.anyio


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    found = await account_data(client)
    await allow_overdraft(client, found)
    return found


async def read(browser: Browser, path: str) -> str:
    """What can be read in the main part of a page."""
    return text(await browser.get(path))


def seen(page: str) -> str:
    return page.partition('name="present" value="')[2].partition('"')[0]


@pytest.mark.parametrize("of_partner", [False, True])
async def test_a_form_replaces_only_what_it_has_shown(client: AppClient, data: AccountData, of_partner: bool) -> None:
    staff = await client.sign_in(data.distributor if of_partner else data.partner, Role.STAFF)
    thing = (
        f"/distributor/partners/{data.partner.organisation_id}" if of_partner else f"/partner/accounts/{data.account}"
    )
    path = f"{thing}/overdraft-cap"
    assert seen((await staff.get(path)).text) == ""
    assert (await staff.send(path, {"unit": "percent", "limit": "10", "present": ""})).status_code == 303
    assert "10 % of the allocation, 100 GB" in await read(staff, thing) or of_partner
    stale = await staff.send(path, {"unit": "TB", "limit": "2", "present": ""})
    assert stale.status_code == 409
    assert seen(stale.text) == "10%"
    assert (await staff.send(path, {"unit": "TB", "limit": "2", "present": "10%"})).status_code == 303
    page = (await staff.get(path)).text
    assert seen(page) == str(2 * TB)
    assert 'value="2"' in page
    assert "beyond the allocation is capped: 2 TB" in await read(staff, thing)
    assert (await staff.send(path, {"unit": "none", "present": seen(page)})).status_code == 303
    assert "capped" not in (await staff.get(thing)).text
    assert (await staff.send(path, {"unit": "TB", "limit": "2"})).status_code == 409  # without what was shown


async def test_wrong_input_is_said_at_its_field(client: AppClient, data: AccountData) -> None:
    staff = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{data.account}/overdraft-cap"
    for unit, typed, said in (
        ("percent", "", "is required"),
        ("percent", "1.5", "must be a whole number"),
        ("percent", "1001", "must be 1 to 1,000"),
        ("percent", "x", "must be a number"),
        ("money", "0", "must be more than 0"),
        ("money", "100", "no price today"),
        ("B", "0.5", "is not a whole number of bytes"),
    ):
        refused = await staff.send(path, {"unit": unit, "limit": typed, "present": ""})
        assert refused.status_code in {409, 422}
        assert said in refused.text.partition('id="limit-error">')[2].partition("<")[0], (unit, typed)
    await client.cast.price(data.partner, "10")
    refused = await staff.send(path, {"unit": "money", "limit": "1.0011", "present": ""})
    assert "at most 2 decimal places in EUR" in refused.text


async def test_an_amount_is_between_seller_and_buyer(client: AppClient, data: AccountData) -> None:
    """The distributor sees that its partner's account is capped, not by how much; the operator likewise."""
    run = client.cast.database.run
    await client.cast.price(data.partner, "10")
    await client.cast.price(data.distributor, "10")
    await run(actions.set_of_account, data.partner, data.account, NewCap(amount=Decimal("77.70")), NOW)
    whose = data.partner.organisation_id
    await run(actions.set_of_partner, data.distributor, whose, NewCap(amount=Decimal("88.80")), NOW)
    partner, distributor = f"/distributor/partners/{whose}", await client.sign_in(data.distributor)
    own, operator = await client.sign_in(data.partner), await client.sign_in(client.cast.operator)
    for reader, path, amount in (
        (own, f"/partner/accounts/{data.account}", "€77.70 a month"),
        (own, "/partner/accounts", "€88.80 a month"),
        (own, "/partner/usage", "€88.80 a month"),
        (distributor, partner, "€88.80 a month"),
    ):
        assert amount in await read(reader, path), path
    for reader, path in (
        (distributor, f"{partner}/accounts/{data.account}"),
        (operator, f"/operator/accounts/{data.account}"),
        (operator, f"/operator/partners/{whose}"),
    ):
        page = await read(reader, path)
        assert "capped: an amount of money a month" in page, path
        assert "77.7" not in page
        assert "88.8" not in page
    assert (await distributor.get(f"{partner}/accounts/{data.account}/overdraft-cap")).status_code == 404
    log = (await distributor.get("/audit")).text
    assert "Capped overdraft of storage account" in log
    assert "77.7" not in log


async def test_pay_per_use_is_capped_in_bytes_or_money(client: AppClient, data: AccountData) -> None:
    account = await client.cast.account(data.partner)
    staff = await client.sign_in(data.partner, Role.STAFF)
    path = f"/partner/accounts/{account}/overdraft-cap"
    page = (await staff.get(path)).text
    assert "Percent of the allocation" not in page
    assert "Cap of usage" in page
    assert (await staff.send(path, {"unit": "TB", "limit": "3", "present": ""})).status_code == 303
    assert "Usage is capped: 3 TB" in await read(staff, f"/partner/accounts/{account}")


async def test_a_cap_that_does_nothing_is_not_shown(client: AppClient, data: AccountData) -> None:
    """Overdraft was switched off after it had been capped."""
    await client.cast.database.run(actions.set_of_account, data.partner, data.account, NewCap(percent=10), NOW)
    await client.cast.row("update storage_account set allow_overdraft = false where id = %s returning id", data.account)
    own = await client.sign_in(data.partner, Role.STAFF)
    for path in (f"/partner/accounts/{data.account}", f"/partner/accounts/{data.account}/settings"):
        page = (await own.get(path)).text
        assert "capped" not in page
        assert "overdraft-cap" not in page
