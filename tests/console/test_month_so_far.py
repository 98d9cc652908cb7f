"""The page of a month, and the month by API: what is charged beside frozen statements, and the margins."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from html import unescape
from typing import Any

import pytest

from tests.api.conftest import AppClient, application
from tests.console.test_fees import marked
from tests.statements.inserted import insert_statement_of
from tests.statements.months import Sellers, unused_sellers
from tonnage.access.actor import Actor, Role
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.utc import day_of, month_before

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    """Of a database of its own: in that of other tests the operator has frozen months."""
    with new_database() as conninfo:
        async with application(conninfo) as found:
            yield found


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    return await unused_sellers(client.cast)


@pytest.fixture
def running(client: AppClient) -> date:
    return day_of(client.clock.now).replace(day=1)


async def store(
    data: Sellers, seller: Actor, buyer: Subject, month: date, net: str | None, currency: str | None = "EUR"
) -> None:
    await data.cast.row(
        f"""
        insert into month_net (month, seller_id, {buyer.kind}_id, currency, net, problem, computed_at)
        values (%s, %s, %s, %s, %s, %s, %s) returning month
        """,
        *(month, seller.organisation_id, buyer.id, currency, net, None if net else "several_currencies", data.cast.now),
    )


async def store_all(data: Sellers, month: date, sold: str = "484.48", bought: str = "300.00") -> None:
    """What the distributor sells and buys, what the partner sells, and what a stranger does."""
    await store(data, data.cast.operator, Subject(SubjectKind.CONTRACT, data.contract), month, bought)
    await store(data, data.distributor, of(data.partner), month, sold)
    await store(data, data.partner, Subject(SubjectKind.ACCOUNT, data.account), month, "1000.00")
    stranger = await data.cast.distributor()
    contract = await data.cast.contract(stranger)
    partner = await data.cast.partner(stranger, contract)
    await store(data, data.cast.operator, Subject(SubjectKind.CONTRACT, contract), month, "0.00")
    await store(data, stranger, of(partner), month, "77.77")


def of(partner: Actor) -> Subject:
    return Subject(SubjectKind.PARTNER, partner.organisation_id)


async def month_of(client: AppClient, who: Actor, first: date) -> Any:
    found = await client.call("GET", f"/ext/v1/months/{first:%Y-%m}", await client.key(who, Role.VIEWER))
    assert found.status_code == 200, found.text
    return found.json()


def eur(net: str) -> dict[str, str]:
    return {"currency": "EUR", "net": net}


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def test_a_month_that_is_not_frozen_has_what_is_charged_so_far(
    client: AppClient, data: Sellers, running: date
) -> None:
    for first, state in ((running, "open"), (month_before(running), "over")):
        await store_all(data, first)
        computed = {"computedAt": at(data.cast.now)}
        month = await month_of(client, data.distributor, first)
        assert (month["state"], month["sold"], month["bought"]) == (state, [], [])
        assert month["soFar"] == {"sold": [eur("484.48")], "bought": [eur("300.00")], **computed}
        assert month["margins"] == [eur("184.48")]
        month = await month_of(client, data.partner, first)
        assert month["soFar"] == {"sold": [eur("1000.00")], "bought": [eur("484.48")], **computed}
        assert month["margins"] == [eur("515.52")]
        of_operator = await month_of(client, client.cast.operator, first)
        assert (of_operator["soFar"]["bought"], of_operator["margins"]) == ([], [])
        label = "so far" if state == "open" else "not frozen"
        for who, nets, doors in (
            (data.distributor, ("484.48", "300", "184.48"), ("/distributor/partners", "/distributor/contracts")),
            (data.partner, ("1000", "484.48", "515.52"), ("/partner/accounts", None)),
        ):
            browser = await client.sign_in(who, Role.VIEWER)
            page = (await browser.get(f"/statements/months/{first:%Y-%m}")).text
            for net in nets:
                assert page.count(marked(net)) == 1, (who.kind, net)
            assert marked("77.77") not in page
            assert "As of <time" in page
            assert "Month before" not in page  # some of it may be frozen, and it is a click away
            draft = f"/statements/draft-{data.partner.organisation_id}-{first:%Y-%m}"
            for name, path in zip(("Sold", "Bought"), doors, strict=True):
                door = f"{path}?month={first:%Y-%m}&sort=fee" if path else draft
                link = re.search(rf'<dt><a href="([^"]+)">{name},? {label}</a>', page)
                assert link is not None, (who.kind, name)
                assert unescape(link[1]) == door
            for path in re.findall(r'<dt><a href="([^"]+)"', page):
                assert "Nothing" not in path
                if "draft" not in path:  # that one has no prices here
                    assert (await browser.get(unescape(path))).status_code == 200, path


async def test_what_is_frozen_is_counted_once(client: AppClient, data: Sellers, running: date) -> None:
    """One buyer is frozen, one is blocked, one is void, and one had nothing to pay.

    What that one is charged later is an adjustment.
    """
    last, cast = month_before(running), client.cast
    frozen = await cast.database.run(insert_statement_of, data.distributor, of(data.partner), data.contract, last)
    (net,) = await cast.row("select net from statement where id = %s", frozen)
    await store(data, data.distributor, of(data.partner), last, "1111.11")  # as of before: it is frozen otherwise
    blocked, void, nothing, late = [await cast.partner(data.distributor, data.contract) for _ in range(4)]
    for partner, charged in ((blocked, "5.00"), (void, "7.00"), (nothing, "0.00"), (late, "11.00")):
        await store(data, data.distributor, of(partner), last, charged)
    voided = await cast.database.run(insert_statement_of, data.distributor, of(void), data.contract, last)
    await cast.row(
        "update statement set voided_at = %s, void_reason = 'Wrong' where id = %s returning id", cast.now, voided
    )
    await cast.row(
        """
        insert into statement (seller_id, partner_id, month, buyer_key, document, design, computed_at, blocked)
        select seller_id, %s, month, 'blocked', '{"buyerName": "Blocked"}', design, computed_at, 'buyer_without_address'
        from statement where id = %s returning id
        """,
        *(blocked.organisation_id, frozen),
    )
    await store(data, cast.operator, Subject(SubjectKind.CONTRACT, data.contract), last, "3.00")
    month = await month_of(client, data.distributor, last)
    assert month["state"] == "frozen"
    assert [one["net"] for one in month["sold"]] == [str(net)]
    assert month["soFar"]["sold"] == [eur("12.00")]
    assert month["margins"] == [eur(str(net + 12 - 3))]
    page = (await (await client.sign_in(data.distributor)).get(f"/statements/months/{last:%Y-%m}")).text
    assert "Sold, not frozen</a>" in page
    for amount in ("12", str(net + 9)):
        assert marked(amount) in page
    assert marked("1111.11") not in page
    assert "soFar" not in await month_of(client, late, last)
    assert (await month_of(client, void, last))["soFar"]["bought"] == [eur("7.00")]
    # When all is frozen, nothing is beside it.
    await cast.row("delete from month_net where partner_id = any(%s) returning month", [
        one.organisation_id for one in (blocked, void, late)
    ])  # fmt: skip
    month = await month_of(client, data.distributor, last)
    assert month["soFar"]["sold"] == []
    assert (await month_of(client, data.partner, last)).get("soFar") is None


async def test_a_freeze_that_was_killed_leaves_what_it_computed_in_the_sum(
    client: AppClient, data: Sellers, running: date
) -> None:
    last, cast = month_before(running), client.cast
    other = await cast.partner(data.distributor, data.contract)
    frozen = await cast.database.run(insert_statement_of, data.distributor, of(other), data.contract, last)
    await store(data, data.distributor, of(data.partner), last, "9.00")
    await cast.row(
        """
        insert into statement (seller_id, partner_id, month, buyer_key, currency, net, gross, document, design, input,
            digest, computed_at)
        select seller_id, %s, month, 'computed', currency, net, gross, document, design, input, digest, computed_at
        from statement where id = %s returning id
        """,
        *(data.partner.organisation_id, frozen),
    )
    await cast.row(
        "update month_close set in_progress = true where seller_id = %s and month = %s returning month",
        *(data.distributor.organisation_id, last),
    )
    assert (await month_of(client, data.distributor, last))["soFar"]["sold"] == [eur("9.00")]


async def test_margins_are_by_currency(client: AppClient, data: Sellers, running: date) -> None:
    """A currency that is only sold, or only bought, has none."""
    dollars = await client.cast.partner(data.distributor, data.contract)
    await store_all(data, running, sold="468.00")
    await store(data, data.distributor, of(dollars), running, "40.00", "USD")
    month = await month_of(client, data.distributor, running)
    assert month["soFar"]["sold"] == [eur("468.00"), {"currency": "USD", "net": "40.00"}]
    assert month["margins"] == [eur("168.00")]
    browser = await client.sign_in(data.distributor)
    for path in (f"/statements/months/{running:%Y-%m}", "/distributor", "/distributor/fees"):
        page = (await browser.get(path)).text
        assert marked("168") in page, path
        assert "In each currency that you sell and buy in" in page, path
    # Of a buyer without a sum it is not known what is left.
    unknown = await client.cast.partner(data.distributor, data.contract)
    await store(data, data.distributor, of(unknown), running, None, None)
    month = await month_of(client, data.distributor, running)
    assert (month["soFar"]["severalCurrencies"], month["margins"]) == (1, [])
    assert "Some fees are not known yet" in (await browser.get(f"/statements/months/{running:%Y-%m}")).text


async def test_an_older_month_says_that_no_sums_are_kept(client: AppClient, data: Sellers, running: date) -> None:
    first = month_before(month_before(running))
    month = await month_of(client, data.distributor, first)
    assert (month["state"], month["sold"], month["margins"]) == ("over", [], [])
    assert "soFar" not in month
    await data.price(data.distributor)
    browser = await client.sign_in(data.distributor)
    text = "Sums of what is not frozen are kept for the running month and the one before."
    assert text in (await browser.get(f"/statements/months/{first:%Y-%m}")).text
    assert text not in (await browser.get(f"/statements/months/{running:%Y-%m}")).text
