"""Lists with fees show those of the running month or of the last one; every link of such a list keeps the month."""

import re
from datetime import date
from html import unescape

import pytest

from tests.api.conftest import AppClient
from tests.console.browsers import Browser
from tests.console.test_fees import marked, rows
from tests.statements.months import Sellers, unused_sellers
from tonnage.access.actor import Actor, Role
from tonnage.console.date_range import read_range
from tonnage.console.fee_month import FeeMonth
from tonnage.utc import day_of, month_before

pytestmark = pytest.mark.anyio

NOW, THEN = ("11.11", "21.11", "31.11"), ("10.10", "20.10", "30.10")
"""What the contract, the partner and the account are charged, in the running month and in the last one."""


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    cast, found = client.cast, await unused_sellers(client.cast)
    running = day_of(client.clock.now).replace(day=1)
    for month, nets in ((running, NOW), (month_before(running), THEN)):
        buyers: list[tuple[Actor, str, object]] = [
            (cast.operator, "contract_id", found.contract),
            (found.distributor, "partner_id", found.partner.organisation_id),
            (found.partner, "account_id", found.account),
        ]
        for (seller, column, buyer), net in zip(buyers, nets, strict=True):
            await cast.row(
                f"""
                insert into month_net (month, seller_id, {column}, currency, net, computed_at)
                values (%s, %s, %s, 'EUR', %s, %s) returning month
                """,
                *(month, seller.organisation_id, buyer, net, cast.now),
            )
    return found


@pytest.fixture
async def lists(client: AppClient, data: Sellers) -> dict[str, tuple[Browser, int, bool]]:
    """The lists with fees: who reads them, whose net is in the rows, and whether there are tiles with sums."""
    operator, distributor, partner = [
        await client.sign_in(actor, Role.VIEWER) for actor in (client.cast.operator, data.distributor, data.partner)
    ]
    return {
        "/operator/contracts": (operator, 0, False),
        "/distributor/contracts": (distributor, 0, False),
        "/distributor/partners": (distributor, 1, True),
        "/partner/accounts": (partner, 2, True),
    }


async def test_a_list_has_the_fees_of_its_month(client: AppClient, lists: dict[str, tuple[Browser, int, bool]]) -> None:
    running = day_of(client.clock.now).replace(day=1)
    last = month_before(running)
    for path, (browser, level, has_tiles) in lists.items():
        for query, first, nets, others in (
            ("", running, NOW, THEN),
            (f"month={running:%Y-%m}", running, NOW, THEN),
            (f"month={last:%Y-%m}", last, THEN, NOW),
            ("month=2019-01", running, NOW, THEN),
            ("month=none", running, NOW, THEN),
        ):
            page = (await browser.get(f"{path}?sort=fee&{query}")).text
            assert page.count(marked(nets[level])) == 1 + has_tiles, (path, query)
            compared = 1 if has_tiles and first == running else 0
            assert page.count(marked(others[level])) == compared, (path, query)
            assert (f"Month before: {marked(others[level])}" in page) is bool(compared), (path, query)
            refused = "month=2019-01" in query
            assert ("Those of January 2019 are in its statements." in page) is refused, (path, query)
            assert ('href="/statements/months/2019-01"' in page) is refused, (path, query)
            assert f"Fee {first:%b %Y}" in page, (path, query)
            file = await rows(browser, f"{path}.csv?sort=fee&{query}")
            assert nets[level] in {row[f"Fee {first:%Y-%m}"] for row in file}, (path, query)


async def test_tiles_follow_the_month(client: AppClient, lists: dict[str, tuple[Browser, int, bool]]) -> None:
    last = month_before(day_of(client.clock.now))
    distributor, partner = lists["/distributor/partners"][0], lists["/partner/accounts"][0]
    page = (await distributor.get(f"/distributor/partners?month={last:%Y-%m}")).text
    for text in (f"Fees in {last:%B %Y}", f"You pay for {last:%B %Y}", marked(THEN[0])):
        assert text in page, text
    assert f'href="/distributor/contracts?sort=fee&amp;month={last:%Y-%m}"' in page
    assert "so far</a></dt>" not in page
    assert marked(THEN[1]) in (await distributor.get(f"/distributor/partners/fees?month={last:%Y-%m}")).text
    page = (await partner.get(f"/partner/accounts?month={last:%Y-%m}")).text
    assert f"Fees in {last:%B %Y}" in page
    # One range rules the page: the average is of the same days as the fees.
    assert f'name="from" value="{last}"' in page
    assert (
        marked(THEN[2])
        in (
            await partner.get(
                f"/partner/accounts?from={last}&to={read_range({'month': f'{last:%Y-%m}'}, NEXT).period.last}"
            )
        ).text
    )


NEXT = date(2100, 1, 1)


async def test_every_link_of_the_list_keeps_the_month(
    client: AppClient, data: Sellers, lists: dict[str, tuple[Browser, int, bool]]
) -> None:
    last = f"month={month_before(day_of(client.clock.now)):%Y-%m}"
    for number in range(26):
        await client.cast.contract(data.distributor)
        await client.cast.partner(data.distributor, data.contract)
        await client.cast.account(data.partner, number)
    for path, (browser, _, _) in lists.items():
        page = (await browser.get(f"{path}?{last}&size=25&q=&sort=fee")).text
        links = [unescape(found) for found in re.findall(rf'href="({path}(?:\.csv)?\?[^"]*)"', page)]
        kept = [link for link in links if last in link]
        for part in ("show=", "sort=", "after=", ".csv?"):
            assert [link for link in kept if part in link], (path, part)
        # But for the link to the other month, and those to ranges of days.
        others = [link for link in links if last not in link and "from=" not in link]
        assert len(others) == 1, (path, others)
        assert f'type="hidden" name="month" value="{last.removeprefix("month=")}"' in page, path


async def test_partners_without_a_fee_of_the_month_are_listed_too(client: AppClient, data: Sellers) -> None:
    """Such as those that were created after it, few or many."""
    browser = await client.sign_in(data.distributor, Role.VIEWER)
    path = f"/distributor/partners.csv?sort=fee&month={month_before(day_of(client.clock.now)):%Y-%m}"
    new = [await client.cast.partner(data.distributor, data.contract) for _ in range(2)]
    found = [row["ID"] for row in await rows(browser, path)]
    assert found[0] == str(data.partner.organisation_id)
    assert {*found[1:]} == {str(one.organisation_id) for one in new}
    await client.cast.row(
        """
        with made as (
            insert into organisation (kind, parent_id, name, name_key)
            select 'partner', %s, 'Many', 'many' from generate_series(1, 1001) returning id
        ), partners as (
            insert into partner (id, distributor_id, contract_id, allocated_capacity)
            select id, %s, %s, 0 from made returning id
        ) select count(*) from partners
        """,
        *(data.distributor.organisation_id, data.distributor.organisation_id, data.contract),
    )
    found = [row["ID"] for row in await rows(browser, path)]
    assert (len(found), len({*found})) == (1004, 1004)
    assert found[0] == str(data.partner.organisation_id)


def test_only_two_months_have_stored_fees() -> None:
    today = date(2026, 1, 15)
    assert FeeMonth.of(date(2025, 12, 31), today).first == date(2025, 12, 1)
    for day in (None, date(2025, 11, 30), date(2026, 1, 1), date(2026, 2, 1)):
        assert FeeMonth.of(day, today).is_running, day
