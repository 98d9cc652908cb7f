"""What is charged so far, in every list and tile that shows it: the net of the draft, and for nobody else to see."""

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest

from tests.api.conftest import AppClient
from tests.billing.nets import compute
from tests.cast import TB
from tests.console.browsers import Browser
from tests.statements.months import Sellers
from tests.usage.steps import record
from tonnage.access.actor import Actor, Role
from tonnage.billing.actions import compute_changed
from tonnage.partners.actions import close_partner
from tonnage.utc import day_of, midnight

pytestmark = pytest.mark.anyio


class Shown(NamedTuple):
    """The readers of three levels, and what a buyer of each is charged."""

    data: Sellers
    operator: Browser
    distributor: Browser
    partner: Browser

    @property
    def buyers(self) -> dict[str, tuple[Browser, Browser | None]]:
        """The seller and the buyer of each, by its id."""
        data = self.data
        return {
            str(data.contract): (self.operator, self.distributor),
            str(data.partner.organisation_id): (self.distributor, self.partner),
            str(data.account): (self.partner, None),
        }


@pytest.fixture
async def shown(client: AppClient) -> Shown:
    """11 TB since the first of the month, of 10 TB that partner and account have; other prices on each level."""
    cast, now = client.cast, client.clock.now
    first = day_of(now).replace(day=1)
    cast.now = midnight(first)
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB, overdraft=True)
    data = Sellers(cast, distributor, contract, partner, await cast.account(partner, 10 * TB, overdraft=True))
    await record(cast, (data.account, cast.now, 11 * TB), now=now)
    cast.now = now
    await data.price(distributor, since=first)
    await data.price(partner, since=first)
    await data.reprice(partner, "3", "4", first)
    await computed(data, now)
    return Shown(
        data,
        await client.sign_in(cast.operator, Role.VIEWER),
        await client.sign_in(distributor, Role.VIEWER),
        await client.sign_in(partner, Role.VIEWER),
    )


async def computed(data: Sellers, now: datetime) -> None:
    await compute(data.cast, data.cast.operator, data.contract, now=now)
    await compute(data.cast, data.distributor, data.partner.organisation_id, now=now)
    await compute(data.cast, data.partner, data.account, now=now)


async def draft_net(client: AppClient, seller: Actor, buyer: object) -> str:
    path = f"/ext/v1/statements/draft-{buyer}-{client.clock.now:%Y-%m}"
    found = await client.call("GET", path, await client.key(seller, Role.VIEWER))
    assert found.status_code == 200, found.text
    return found.json()["net"]


async def rows(browser: Browser, path: str) -> list[dict[str, str]]:
    file = await browser.get(path)
    assert file.status_code == 200, path
    return list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))


def marked(net: str) -> str:
    """An amount on a page."""
    text = f"€{Decimal(net):,.2f}"
    return f'<span title="{text}">{text}</span>'


async def test_every_list_and_tile_has_the_net_of_the_draft(client: AppClient, shown: Shown) -> None:
    data = shown.data
    partner = data.partner.organisation_id
    sold = await draft_net(client, client.cast.operator, data.contract)
    resold = await draft_net(client, data.distributor, partner)
    retail = await draft_net(client, data.partner, data.account)
    assert len({sold, resold, retail}) == 3
    q = f"distributor={data.distributor.organisation_id}"
    month = f"month={client.clock.now:%Y-%m}"
    pages: list[tuple[Browser, str, list[str]]] = [
        (shown.operator, f"/operator/contracts/{data.contract}", [sold]),
        (shown.operator, f"/operator/partners/{partner}?{month}", [sold]),
        (shown.distributor, "/distributor/contracts", [sold]),
        (shown.distributor, "/distributor/partners", [resold, resold, sold]),
        (shown.distributor, f"/distributor/partners?contract={data.contract}&show=charged", [resold, resold, sold]),
        (shown.distributor, "/distributor/partners/fees", [resold]),
        (shown.distributor, f"/distributor/partners/{partner}?{month}", [resold]),
        (shown.partner, "/partner/accounts?sort=fee&show=charged", [retail, retail]),
        (shown.partner, f"/partner/usage?{month}", [resold]),
    ]
    for browser, path, nets in pages:
        page = await browser.get(path)
        assert (path, page.status_code) == (path, 200)
        assert [page.text.count(marked(net)) for net in nets] == [nets.count(net) for net in nets], path
    files: list[tuple[Browser, str, str, str]] = [
        (shown.operator, f"/operator/contracts.csv?q=&{q}", "ID", sold),
        (shown.distributor, "/distributor/contracts.csv", "ID", sold),
        (shown.distributor, "/distributor/partners.csv?sort=fee", "ID", resold),
        (shown.partner, "/partner/accounts.csv?sort=fee.asc&show=charged", "Number", retail),
    ]
    for browser, path, key, net in files:
        fee = f"Fee {client.clock.now:%Y-%m}"
        found = {row[key]: (row[fee], row["Currency"]) for row in await rows(browser, path)}
        assert [found[buyer] for buyer in found if buyer in shown.buyers] == [(net, "EUR")], path


async def test_nobody_sees_the_prices_of_others(client: AppClient, shown: Shown) -> None:
    """Of a buyer only its seller and itself: on no page and in no file, by no address."""
    data = shown.data
    partner = data.partner.organisation_id
    nets = {
        str(data.contract): await draft_net(client, client.cast.operator, data.contract),
        str(partner): await draft_net(client, data.distributor, partner),
        str(data.account): await draft_net(client, data.partner, data.account),
    }
    asked = ("", "?sort=fee", "?sort=fee.asc&show=charged", "?sort=fee&q=partner")
    its_accounts = f"partners/{partner}/accounts"
    pages = [
        (shown.operator, "/operator", ["partners", "accounts", "contracts"], f"partners/{partner}"),
        (shown.distributor, "/distributor", ["partners", "contracts", its_accounts], f"partners/{partner}"),
        (shown.partner, "/partner", ["accounts"], "usage"),
    ]
    for browser, root, lists, one in pages:
        paths = [f"{root}/{name}{kind}{query}" for name in lists for kind in ("", ".csv") for query in asked]
        hidden = [net for buyer, net in nets.items() if browser not in shown.buyers[buyer]]
        assert hidden
        months = [f"{root}/{one}?month={client.clock.now:%Y-%m}", f"{root}/{one}?month=2026-01"]
        for path in [*paths, f"{root}/{one}", *months]:
            page = await browser.get(path)
            assert (path, page.status_code) == (path, 200)
            text = page.text.replace(",", "") if "<html" in page.text else page.text
            assert [net for net in hidden if net in text] == [], path
    for browser, path in [
        (shown.operator, "/operator/partners"),
        (shown.operator, "/operator/accounts"),
        (shown.distributor, f"/distributor/partners/{partner}/accounts"),
    ]:
        assert "sort=fee" not in (await browser.get(path)).text, path
        file = (await browser.get(f"{path}.csv")).text
        assert "Fee" not in file, path
        # Neither their order nor a filter depends on it.
        assert (await browser.get(f"{path}.csv?sort=fee.asc&show=charged")).text == file, path


async def test_a_changed_price_is_seen_after_a_minute(client: AppClient, shown: Shown) -> None:
    """The page says of which moment the fee is."""
    data, now = shown.data, client.clock.now
    page = await shown.distributor.get("/distributor/partners")
    before = await draft_net(client, data.distributor, data.partner.organisation_id)
    assert marked(before) in page.text
    await data.reprice(data.distributor, "50", "70", day_of(now).replace(day=1))
    after = await draft_net(client, data.distributor, data.partner.organisation_id)
    assert after != before
    assert marked(after) not in (await shown.distributor.get("/distributor/partners")).text
    await compute_changed(data.cast.database, now + timedelta(minutes=2))
    page = await shown.distributor.get("/distributor/partners")
    assert page.text.count(marked(after)) == 2
    moment = (now + timedelta(minutes=2)).isoformat(timespec="minutes").removesuffix("+00:00")
    assert f'As of <time datetime="{moment}' in page.text


async def test_lists_by_fee_and_the_sums_behind_tiles(client: AppClient, shown: Shown) -> None:
    """By currency, then by amount; one sum for each, with what closed partners are charged."""
    cast, data = client.cast, shown.data
    buyers: dict[str, tuple[str | None, str | None, bool]] = {
        "dear": ("EUR", "1000000.05", False),
        "cheap": ("EUR", "0.10", False),
        "dollars": ("USD", "5.00", False),
        "mixed": (None, None, False),
        "free": ("EUR", "0.00", False),
        "gone": ("EUR", "7.00", True),
    }
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    for name, (currency, net, closed) in buyers.items():
        partner = await cast.partner(distributor, contract, name=name)
        await insert(data, distributor, partner, currency, net)
        if closed:
            await cast.database.run(close_partner, distributor, partner.organisation_id, cast.now)
    browser = await client.sign_in(distributor)
    ordered = ["dollars", "dear", "cheap", "free", "mixed"]
    orders = {
        "fee": ordered,
        "fee.asc": ordered[::-1],
        "fee&show=charged": ordered[:3],
        "fee&q=e": [name for name in ordered if "e" in name],
        "name.desc&show=charged": ["dollars", "dear", "cheap"],
    }
    for query, names in orders.items():
        found = await rows(browser, f"/distributor/partners.csv?sort={query}")
        assert [row["Name"] for row in found] == names, query
    new = await cast.partner(distributor, contract, name="new")  # it has no net yet
    listed = [row["ID"] for row in await rows(browser, "/distributor/partners.csv?sort=fee")]
    assert len(listed) == 6
    assert str(new.organisation_id) in listed[4:]
    page = (await browser.get("/distributor/partners")).text
    for sum_ in ("€1,000,007.15", "US$5.00"):
        assert f'<span title="{sum_}">{sum_}</span>' in page
    assert 'Of that closed ones: <span title="€7.00">€7.00</span>' in page
    assert "Without 1 whose prices are in several currencies" in page
    assert page.count("Several currencies") == 1
    assert 'href="/distributor/partners?sort=fee"' in page


async def insert(data: Sellers, seller: Actor, partner: Actor, currency: str | None, net: str | None) -> None:
    await data.cast.row(
        """
        insert into month_net (month, seller_id, partner_id, currency, net, problem, computed_at)
        values (%s, %s, %s, %s, %s, %s, %s) returning month
        """,
        day_of(data.cast.now).replace(day=1),
        seller.organisation_id,
        partner.organisation_id,
        currency,
        net,
        None if net else "several_currencies",
        data.cast.now,
    )
