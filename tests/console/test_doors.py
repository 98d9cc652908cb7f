"""Figures lead to the lists behind them, sorted by them; and the operator's overview says which statements are late."""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from html import unescape

import pytest

from tests.api.conftest import AppClient, application
from tests.console.browsers import Browser
from tests.console.test_fees import marked, rows
from tests.console.test_month_so_far import of, store
from tests.statements.inserted import insert_statement_of
from tests.statements.months import Sellers, unused_sellers
from tonnage.access.actor import Role
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.utc import day_of, month_before

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    """On a database of its own: the operator's figures are of everybody's contracts."""
    with new_database() as conninfo:
        async with application(conninfo) as found:
            yield found


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    found = await unused_sellers(client.cast)
    running = day_of(client.cast.now).replace(day=1)
    for month, net in ((running, "3.00"), (month_before(running), "2.00")):
        await store(found, client.cast.operator, Subject(SubjectKind.CONTRACT, found.contract), month, net)
        await store(found, found.distributor, of(found.partner), month, net)
        await store(found, found.partner, Subject(SubjectKind.ACCOUNT, found.account), month, net)
    return found


async def doors(browser: Browser, path: str) -> dict[str, str]:
    """The labels of a page's tiles, with the paths that they lead to: '' of one that leads nowhere."""
    page = (await browser.get(path)).text
    found: dict[str, str] = {}
    for tile in page.split('<div class="tile')[1:]:
        label = re.search(r'<dt>(?:<a href="([^"]*)">)?([^<]*)<', tile)
        assert label is not None, tile[:200]
        found[label[2]] = unescape(label[1] or "")
    for label, door in found.items():
        if door and "draft" not in door and not door.startswith("#"):  # buyers have no prices here
            assert (await browser.get(door)).status_code == 200, (path, label, door)
    return found


async def test_every_figure_with_a_list_behind_it_is_a_door(client: AppClient, data: Sellers) -> None:
    month = f"{client.clock.now:%Y-%m}"
    operator, distributor, partner = [
        await client.sign_in(actor, Role.VIEWER) for actor in (client.cast.operator, data.distributor, data.partner)
    ]
    assert await doors(operator, "/operator") == {
        "Reserved by contracts": "/operator/contracts?sort=reserved",
        "Allocated to partners": "/operator/partners?sort=allocated",
        "Used": "/operator/partners?sort=used",
        "Fees so far": "/operator/contracts?sort=fee",
        "Partners near full": "/operator/partners?show=near&sort=load",
        "Partners over allocation": "/operator/partners?show=over&sort=load",
    }
    found = await doors(partner, f"/partner/accounts?month={month}")
    assert {label: door.partition(f"month={month}")[2] or door for label, door in found.items()} == {
        "Allocated capacity": "&sort=allocated",
        "Storage utilisation now": "&sort=used",
        "Average storage used": f"/partner/usage?from={month}-01&to={day_of(client.clock.now)}",
        "Storage accounts": "&sort=name",
        f"Fees of {client.clock.now:%B %Y} so far": "&sort=fee",
    }
    for browser, path, count in (
        (distributor, "/distributor/partners", 7),
        (distributor, f"/distributor/partners?contract={data.contract}", 7),
        (distributor, f"/statements/months/{month}", 3),
        (partner, f"/statements/months/{month}", 3),
        (operator, f"/statements/months/{month}", 1),
    ):
        found = await doors(browser, path)
        assert len(found) == count, (path, found)
        assert all(found.values()), (path, found)


async def test_what_distributors_are_charged_is_in_their_list(client: AppClient, data: Sellers) -> None:
    """The sum of their contracts, by currency; by the first of them the list is sorted."""
    cast, running = client.cast, day_of(client.clock.now).replace(day=1)
    operator = await client.sign_in(cast.operator, Role.VIEWER)
    nets = {"cheap": [("1.00", "EUR"), ("2.50", "EUR")], "dear": [("100.00", "EUR"), ("7.00", "USD")],
            "dollars": [("5.00", "USD")], "free": []}  # fmt: skip
    names: dict[str, str] = {}
    for label, charged in nets.items():
        distributor = await cast.distributor()
        names[str(distributor.organisation_id)] = label
        await cast.contract(distributor)  # without a net yet
        for net, currency in charged:
            contract = Subject(SubjectKind.CONTRACT, await cast.contract(distributor))
            await store(data, cast.operator, contract, running, net, currency)
            await store(data, cast.operator, contract, month_before(running), "0.75", currency)

    async def listed(query: str) -> Sequence[dict[str, str]]:
        return [row for row in await rows(operator, f"/operator/distributors.csv?{query}") if row["ID"] in names]

    found = await listed("sort=fee")
    assert [names[row["ID"]] for row in found] == ["dollars", "dear", "cheap", "free"]
    assert [names[row["ID"]] for row in await listed("sort=fee.asc")] == ["free", "cheap", "dear", "dollars"]
    fee = f"Fee {running:%Y-%m}"
    assert [(row[fee], row["Currency"], row["Fees in other currencies"]) for row in found] == [
        ("5.00", "USD", ""), ("100.00", "EUR", "USD 7.00"), ("3.50", "EUR", ""), ("", "", ""),
    ]  # fmt: skip
    last = month_before(running)
    (row,) = [one for one in await listed(f"month={last:%Y-%m}") if names[one["ID"]] == "cheap"]
    assert row[f"Fee {last:%Y-%m}"] == "1.50"
    dear = next(key for key, label in names.items() if label == "dear")
    page = (await operator.get(f"/operator/distributors/{dear}")).text
    for net, count in (("100.00", 2), ("7.00", 1)):  # in the tile, and in its contract's row
        assert page.count(marked(net)) == count, net
    for query in ("?sort=fee", "?sort=fee.asc"):
        page = (await operator.get(f"/operator/distributors{query}&size=250")).text
        assert f"Fee {running:%b %Y}" in page
        assert "month=" + f"{last:%Y-%m}" in page


async def test_the_operator_sees_which_statements_are_late(client: AppClient, data: Sellers) -> None:
    cast, contract = client.cast, Subject(SubjectKind.CONTRACT, data.contract)
    statement = await cast.database.run(insert_statement_of, cast.operator, contract, data.contract, date(2026, 1, 1))
    other = await cast.contract(data.distributor)
    await cast.row(
        """
        insert into statement (seller_id, contract_id, month, buyer_key, document, design, computed_at, blocked)
        select seller_id, %s, month, 'blocked', '{"buyerName": "Blocked"}', design, computed_at, 'buyer_without_address'
        from statement where id = %s returning id
        """,
        *(other, statement),
    )
    client.clock.now = max(client.clock.now, datetime(2026, 4, 1, tzinfo=UTC))  # it was due in March
    operator = await client.sign_in(cast.operator, Role.VIEWER)
    page = (await operator.get("/operator")).text
    assert "Nothing needs attention" not in page
    unpaid = page.partition('id="today-sold"')[2].partition("</section>")[0]
    assert f'href="/statements/{statement}"' in unpaid
    assert "€81.29, was due on 17 Mar 2026" in unpaid
    assert (await operator.get("/statements?role=seller&show=overdue")).status_code == 200
    assert re.search(r'href="/statements/months/20\d\d-\d\d">\d+ statements? could not be frozen', page)
    assert "your partners have to pay" not in page
