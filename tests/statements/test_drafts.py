"""Drafts of statements and the working of their lines, as the API has them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data
from tests.cast import TB
from tests.usage.steps import at, record
from tonnage.access.actor import Actor, Role
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import NewVersion, Prices

pytestmark = pytest.mark.anyio

MARCH = "2026-03"
"""The clock of these tests stands at noon of the 15th."""


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    return await used(client)


async def used(client: AppClient) -> AccountData:
    """3 TB on each day since the 1st; of 2 TB that the partner has, and 1 TB that the account has."""
    client.cast.now = at("2026-03-01")
    found = await account_data(client)
    await record(client.cast, (found.account, at("2026-03-01"), 11 * TB), now=client.clock.now)
    client.cast.now = client.clock.now
    return found


async def priced(client: AppClient, seller: Actor, currency: str = "EUR", *, default: bool = True) -> Any:
    """A default book from the first of the month on."""
    run, now = client.cast.database.run, client.clock.now
    book = await run(price_books.create_book, seller, NewPriceBook("Prices", currency, default), now)
    prices = Prices(reserved=Decimal("0.9"), excess=Decimal(2), minimum_charge=Decimal(0))
    number, _ = await run(price_books.add_version, seller, book.id, NewVersion(date(2026, 3, 1), prices), now)
    await client.cast.database.transaction(price_books.publish, seller, book.id, number, now, correct=True)
    return book.id


async def get(client: AppClient, who: Actor, path: str, role: Role = Role.VIEWER) -> Any:
    return await client.call("GET", f"/ext/v1/statements/{path}", await client.key(who, role))


async def test_a_contract_is_seen_by_operator_and_distributor(client: AppClient, data: AccountData) -> None:
    path = f"draft-{data.contract}-{MARCH}"
    shown = await get(client, data.distributor, path)
    assert shown.status_code == 200, shown.text
    assert (await get(client, client.cast.operator, path)).json() == shown.json()
    (line,) = shown.json()["lines"]
    assert line == {
        "no": 1,
        "product": "excess",
        "subject": str(data.partner.organisation_id),
        "subjectName": line["subjectName"],
        "contract": str(data.contract),
        "quantityGbMonths": "483.870967742",
        "byteDays": 15 * TB,
        "unitPrice": "100",
        "amount": "483.87",
        "from": "2026-03-01",
        "to": "2026-03-15",
    }
    seen: dict[str, Any] = {"parties": {}, "blocked": None, "taxes": [], "gross": "", "lines": []}
    assert shown.json() | seen == {
        "id": path,
        "seller": str(client.cast.operator.organisation_id),
        "sellerName": shown.json()["sellerName"],
        "buyer": str(data.contract),
        "buyerName": shown.json()["buyerName"],
        "level": "contract",
        "month": MARCH,
        "currency": "EUR",
        "state": "draft",
        "through": "2026-03-15",
        "net": "483.87",
        "document": "statement",
        **seen,
    }


async def test_each_sees_what_it_sells_and_what_it_buys(client: AppClient, data: AccountData) -> None:
    stranger = await used(client)
    for seller in (data.distributor, data.partner):
        await priced(client, seller)
    cast = client.cast
    everybody = {cast.operator, data.distributor, data.partner, stranger.distributor, stranger.partner}
    readers = {
        str(data.contract): {cast.operator, data.distributor},
        str(data.partner.organisation_id): {data.distributor, data.partner},
        str(data.account): {data.partner},
    }
    for buyer, theirs in readers.items():
        for who in everybody:
            for path in (f"draft-{buyer}-{MARCH}", f"draft-{buyer}-{MARCH}/lines/1/working"):
                expected = 200 if who in theirs else 404
                assert (await get(client, who, path)).status_code == expected, (who.kind, path)


async def test_a_partner_never_sees_what_its_distributor_pays(client: AppClient, data: AccountData) -> None:
    await priced(client, data.distributor)
    shown = (await get(client, data.partner, f"draft-{data.partner.organisation_id}-{MARCH}")).json()
    assert [(line["product"], line["unitPrice"], line["amount"]) for line in shown["lines"]] == [
        ("reserved", "0.9", "43.55"),
        ("excess", "2", "9.68"),
    ]
    assert shown["net"] == "53.23"


async def test_the_working_adds_up_to_the_line(client: AppClient, data: AccountData) -> None:
    path = f"draft-{data.contract}-{MARCH}/lines"
    shown = (await get(client, data.distributor, f"{path}/1/working")).json()
    assert shown["line"]["byteDays"] == sum(day["quantity"] for day in shown["days"])
    assert shown["daysOfMonth"] == 31
    assert [day["day"] for day in shown["days"]] == [f"2026-03-{number:02}" for number in range(1, 16)]
    assert shown["days"][0] == {"day": "2026-03-01", "used": 11 * TB, "capacity": 10 * TB, "quantity": TB}
    for line in ("2", "0", "01", "x", "999999999999"):
        assert (await get(client, data.distributor, f"{path}/{line}/working")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "draft-{contract}-2026-04",
        "draft-{contract}-2026-13",
        "draft-{contract}-0000-01",
        "draft-{contract}",
        "{contract}",
        "draft-482915730164-2026-03",
        "draft-4b14e456-ef23-46ed-9070-f5eaf1b5ef04-2026-03",
        "draft-{partner}-2026-03",
    ],
)
async def test_what_is_no_statement(client: AppClient, data: AccountData, path: str) -> None:
    """Months to come, unknown buyers, and a partner without a price book."""
    named = path.format(contract=data.contract, partner=data.partner.organisation_id)
    assert (await get(client, data.distributor, named)).status_code == 404


async def test_two_currencies_in_a_month(client: AppClient, data: AccountData) -> None:
    """A move within a month to a contract with a book in another currency."""
    cast = client.cast
    other = await cast.contract(data.distributor)
    for contract, currency in ((data.contract, "EUR"), (other, "USD")):
        book = await priced(client, data.distributor, currency, default=False)
        subject, assignment = Subject(SubjectKind.CONTRACT, contract), NewAssignment(book, date(2026, 3, 1))
        await cast.database.transaction(
            price_books.assign, data.distributor, subject, assignment, client.clock.now, correct=True
        )
    partner = data.partner.organisation_id
    body = {"distributorContractId": str(other)}
    moved = await client.call(
        "PUT", f"/ext/v1/partner/{partner}/contract", await client.key(data.distributor), json=body
    )
    assert moved.status_code == 200
    refused = await get(client, data.partner, f"draft-{partner}-{MARCH}")
    assert (refused.status_code, refused.json()["code"]) == (409, "other_currency")
    assert "several currencies in 2026-03: EUR, USD" in refused.json()["detail"]
