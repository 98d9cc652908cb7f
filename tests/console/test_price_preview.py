"""The page that shows what the running month would cost under a version, and the same by API."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.api.wire import Wire
from tests.cast import NOW, TB
from tests.console.test_prices import assign, draft, first_of_next_month, published
from tests.usage.steps import at, record
from tonnage.access.actor import Role
from tonnage.price_books.actions import publish
from tonnage.price_books.assignment import SubjectKind
from tonnage.web.paging import MOST_COMPUTED

pytestmark = pytest.mark.anyio


async def priced(client: AppClient, data: AccountData, prices: str = "1") -> Any:
    """The distributor's book, from which all partners under the contract pay since the first."""
    book = await published(client, data.distributor, "2026-03-01", reserved=prices)
    await assign(client, data.distributor, SubjectKind.CONTRACT, data.contract, book, "2026-03-01")
    return book


async def test_a_draft_is_previewed_for_the_whole_month(client: AppClient, data: AccountData) -> None:
    """10 TB at 1 cent on one of 31 days: 3.23; at 1.5 cents 4.84."""
    book = await priced(client, data)
    path = f"/prices/{book}/versions/"
    path += str(await draft(client, data.distributor, book, first_of_next_month(client), reserved="1.5"))
    ann, bob = await client.sign_in(data.distributor), await client.sign_in(data.distributor, Role.VIEWER)
    assert f'href="{path}/preview"' in (await ann.get(path)).text
    assert f'href="{path}/preview"' in (await bob.get(path)).text
    page = (await ann.get(f"{path}/preview")).text
    for text in (
        "What March 2026, through",
        "would cost if these prices applied on all of its days",
        "it changes nothing that is charged until then.",
        "€3.23",
        "€4.84",
        "€1.61",
        "+49.8%",
        "of 1 partner",
        f'href="/distributor/partners/{data.partner.organisation_id}"',
    ):
        assert text in page, text
    assert (await bob.get(f"{path}/preview")).status_code == 200
    assert "All of March" not in page
    for stranger in (data.partner, client.cast.operator, await client.cast.distributor()):
        assert (await (await client.sign_in(stranger)).get(f"{path}/preview")).status_code == 404
    for wrong in (f"/prices/{uuid4()}/versions/1", f"/prices/{book}/versions/9", f"/prices/{book}/versions/x"):
        assert (await ann.get(f"{wrong}/preview")).status_code == 404


async def test_what_begins_within_the_month_has_two_previews(client: AppClient, data: AccountData) -> None:
    client.cast.now = at("2026-03-01")
    partner = await client.cast.partner(data.distributor, data.contract, 31 * TB, name="Ada <1>")
    client.cast.now = NOW
    book = await published(client, data.distributor, "2026-03-01", reserved="1")
    await assign(client, data.distributor, SubjectKind.PARTNER, partner.organisation_id, book, "2026-03-01")
    number = await draft(client, data.distributor, book, "2026-03-11", reserved="0.5")
    path = f"/prices/{book}/versions/{number}/preview"
    ann = await client.sign_in(data.distributor)
    page = (await ann.get(path)).text
    for text in ("if the version were published now", "Its prices apply from", "Ada &lt;1&gt;", "€150.00", "€125.00"):
        assert text in page, text
    assert "-€25.00" in page
    assert "-16.6%" in page
    assert f'href="{path}?whole=1"' in page
    whole = (await ann.get(f"{path}?whole=1")).text
    assert "applied on all of its days" in whole
    assert "€75.00" in whole
    assert 'name="whole" value="1"' in whole
    assert "No matching buyers" in (await ann.get(f"{path}?q=zoe")).text
    await client.cast.database.transaction(publish, data.distributor, book, number, NOW, correct=True)
    page = (await ann.get(path)).text
    assert "€125.00" in page
    assert "€75.00" in page
    assert "whole=1" not in page


async def test_a_book_that_applies_to_nobody(client: AppClient, data: AccountData) -> None:
    ann = await client.sign_in(data.distributor)
    page = (await ann.get(f"/prices/{data.book}/versions/1/preview")).text
    assert "Nobody pays by this book" in page
    assert "tiles" not in page


async def test_more_buyers_take_no_more_statements(client: AppClient, data: AccountData) -> None:
    path = f"/prices/{await priced(client, data)}/versions/1/preview"
    ann, counts = await client.sign_in(data.distributor), list[int]()
    for _ in range(2):
        async with Wire.traced(client) as wire:
            assert (await ann.get(path)).status_code == 200
        counts.append(len(wire.statements))
        for _ in range(60):
            await client.cast.partner(data.distributor, data.contract, TB // 10)
    assert counts[0] < 25
    async with Wire.traced(client) as wire:
        page = (await ann.get(path)).text
    assert len(wire.statements) == counts[0] + 1  # the whole list, for its totals
    assert "1 to 50 of 121" in page
    assert "of 121 partners" in page
    assert "of the buyers on this page" not in page


async def test_an_operator_previews_contracts_and_a_partner_accounts(client: AppClient, data: AccountData) -> None:
    operator = client.cast.operator
    for seller, kind, subject, path in (
        (operator, SubjectKind.CONTRACT, data.contract, f"/operator/contracts/{data.contract}"),
        (data.partner, SubjectKind.ACCOUNT, data.account, f"/partner/accounts/{data.account}"),
    ):
        book = await published(client, seller, "2026-03-01", reserved="1")
        await assign(client, seller, kind, subject, book, "2026-03-01")
        page = (await (await client.sign_in(seller)).get(f"/prices/{book}/versions/1/preview")).text
        assert f'href="{path}"' in page
        assert "€0.00" in page  # the difference


async def test_the_api_has_at_most_fifty_on_a_page(client: AppClient, data: AccountData) -> None:
    book = await priced(client, data)
    number = await draft(client, data.distributor, book, "2026-03-15", reserved="2")
    for _ in range(MOST_COMPUTED):
        await client.cast.partner(data.distributor, data.contract)
    account = await client.cast.account(data.partner)
    await record(client.cast, (account, NOW, TB), now=NOW)
    path, key = f"/ext/v1/price-books/{book}/versions/{number}/preview", await client.key(data.distributor, Role.VIEWER)
    first = await client.call("GET", path, key)
    assert len(first.json()) == MOST_COMPUTED
    assert first.json()[0] == {
        "buyer": str(data.partner.organisation_id),
        "buyerName": first.json()[0]["buyerName"],
        "level": "partner",
        "month": "2026-03",
        "from": "2026-03-15",
        "through": "2026-03-15",
        "currency": "EUR",
        "now": "3.23",
        "preview": "6.45",
        "difference": "3.22",
    }
    assert "limit=50&" in first.headers["link"]
    whole = await client.call("GET", f"{path}?limit=1000&whole=true", key)
    assert len(whole.json()) == MOST_COMPUTED
    assert whole.json()[0]["from"] == "2026-03-01"
    rest = await client.call("GET", first.headers["link"].partition(">")[0].removeprefix("<"), key)
    assert len(rest.json()) == 1
    assert "link" not in rest.headers
    for stranger in (data.partner, client.cast.operator):
        refused = await client.call("GET", path, await client.key(stranger))
        assert refused.status_code == 404
