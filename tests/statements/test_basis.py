"""What discounts, minimums and prices by quantity are computed from: in JSON, files and pages, of frozen statements too
whose prices have changed since."""

import asyncio
import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.api.conftest import AppClient, application
from tests.cast import TB
from tests.console.test_statements import text
from tests.recompute import recompute_files
from tests.statements.months import APRIL, Sellers, sellers
from tests.usage.steps import at, record
from tonnage.access.actor import Actor
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import SubjectKind
from tonnage.price_books.price_book import NewPriceBook
from tonnage.price_books.version import (
    Band,
    MinimumPool,
    Mode,
    NewVersion,
    PayPerUseMinimum,
    Prices,
    Product,
    Tiers,
)

pytestmark = pytest.mark.anyio

MARCH = date(2026, 3, 1)
ALL = Prices(
    pay_per_use=Decimal(10),
    pay_per_use_minimum=PayPerUseMinimum(3000, MinimumPool.PARTNER),
    discount_percent=Decimal("12.5"),
    minimum_charge=Decimal(100000),
)


@dataclass
class Bought:
    """The statement of a partner for March."""

    client: AppClient
    reader: Actor
    document: Any

    async def get(self, path: str) -> Any:
        found = await self.client.call(
            "GET", f"/ext/v1/statements/{self.document['id']}{path}", await self.client.key(self.reader)
        )
        assert found.status_code == 200, found.text
        return found

    async def working(self, product: str) -> Any:
        (number,) = [line["no"] for line in self.document["lines"] if line["product"] == product]
        return (await self.get(f"/lines/{number}/working")).json()

    async def files(self) -> list[bytes]:
        return [(await self.get(f"/lines/{line['no']}/working.csv")).content for line in self.document["lines"]]


async def priced(data: Sellers, prices: Prices, partner: Actor) -> None:
    """A book of the distributor for one partner."""
    run, now = data.cast.database.run, data.cast.now
    book = await run(price_books.create_book, data.distributor, NewPriceBook("Own", "EUR", False), now)
    number, _ = await run(price_books.add_version, data.distributor, book.id, NewVersion(MARCH, prices), now)
    await data.cast.database.transaction(price_books.publish, data.distributor, book.id, number, now, correct=True)
    await data.assign(data.distributor, SubjectKind.PARTNER, partner.organisation_id, book.id, MARCH)


async def bought(client: AppClient, prices: Prices, *, opened: str = "2026-03-17", freeze: bool = True) -> Bought:
    """1 TB on each day, opened on the 17th, without an allocation: 15 of 31 days."""
    data = await sellers(client.cast)
    client.cast.now = at(opened)
    late = await client.cast.partner(data.distributor, data.contract, 0, name="Late")
    account = await client.cast.account(late)
    await record(client.cast, (account, at(opened), TB), now=at("2026-03-31", "23:00:00"))
    client.cast.now = client.clock.now = APRIL
    await data.describe(data.distributor)
    await data.describe(late)
    await priced(data, prices, late)
    key = await client.key(late)
    path = f"draft-{late.organisation_id}-2026-03"
    if freeze:
        await data.freeze(data.distributor)
        (listed,) = (await client.call("GET", "/ext/v1/statements?role=buyer", key)).json()
        path = listed["id"]
    return Bought(client, late, (await client.call("GET", f"/ext/v1/statements/{path}", key)).json())


@pytest.mark.parametrize("freeze", [False, True])
async def test_a_statement_with_every_minimum_and_a_discount(client: AppClient, freeze: bool) -> None:
    found = await bought(client, ALL, freeze=freeze)
    lines = {line["product"]: line for line in found.document["lines"]}
    assert {product: (line["amount"], line.get("basis")) for product, line in lines.items()} == {
        "pay_per_use": ("48.39", None),
        "capacity_minimum": ("96.77", {"minimumGb": 3000, "pool": "partner"}),
        "discount": ("-18.15", {"percent": "12.5", "base": "145.16"}),
        "minimum_charge": ("356.86", {"minimum": "1000.00", "activeDays": 15}),
    }
    base = [
        {name: one[name] for name in ("no", "product", "subject", "subjectName", "amount")}
        for one in found.document["lines"]
    ]
    discount = await found.working("discount")
    assert (discount["days"], discount["line"]) == ([], lines["discount"])
    assert discount["discount"] == {"percent": "12.5", "base": "145.16", "lines": base[:2]}
    assert (await found.working("minimum_charge"))["minimumCharge"] == {
        "minimum": "1000.00",
        "activeDays": 15,
        "prorated": True,
        "required": "483.870967742",
        "base": "127.01",
        "difference": "356.860967742",
        "lines": base[:3],
    }
    minimum = await found.working("capacity_minimum")
    assert minimum["capacityMinimum"] == {
        "minimumGb": 3000,
        "pool": "partner",
        "prorated": True,
        "activeDays": 15,
        "requiredGbMonths": "1451.612903226",
        "averageGb": "483.870967742",
        "usedByteDays": 15 * TB,
        "missingGbMonths": "967.741935484",
        "unitPrice": "10",
    }
    assert sum(day["used"] for day in minimum["days"]) == 15 * TB


async def test_what_was_frozen_shows_the_prices_that_it_had(client: AppClient) -> None:
    found = await bought(client, ALL)
    before = [await found.working(product) for product in ("discount", "minimum_charge", "capacity_minimum")]
    other = Prices(pay_per_use=Decimal(1), discount_percent=Decimal(50), minimum_charge=Decimal(7))
    (book,) = await found.client.cast.row(
        "select book_id from price_assignment where partner_id = %s", found.reader.organisation_id
    )
    (seller,) = await found.client.cast.row("select seller_id from price_book where id = %s", book)
    cast, owner = found.client.cast, Actor.on_command_line(seller, found.reader.kind)
    number, _ = await cast.database.run(price_books.add_version, owner, book, NewVersion(MARCH, other), cast.now)
    await cast.database.transaction(price_books.publish, owner, book, number, cast.now, correct=True)
    assert before == [await found.working(product) for product in ("discount", "minimum_charge", "capacity_minimum")]
    assert (await found.get("")).json() == found.document


async def test_files_have_what_a_line_is_computed_from_and_end_with_the_line(client: AppClient) -> None:
    found = await bought(client, ALL)
    (statement,) = [(await found.get(".csv")).content]
    stated = list(csv.DictReader(io.StringIO(statement.decode("utf-8-sig"))))
    files = await found.files()
    for own, file in zip(stated, files, strict=True):
        *before, last = csv.DictReader(io.StringIO(file.decode("utf-8-sig")))
        assert {name: last[name] for name in own} == own
        if own["product"] == "discount":
            *lines, basis = before
            assert [(one["no"], one["amount"]) for one in lines] == [("1", "48.39"), ("2", "96.77")]
            assert (basis["percent"], basis["base"], basis["amount"]) == ("12.5", "145.16", "")
        if own["product"] == "minimum_charge":
            basis = before[-1]
            assert (basis["minimum"], basis["prorated"], basis["activeDays"], basis["daysOfMonth"]) == (
                *("1000.00", "true", "15", "31"),
            )
    done = await asyncio.to_thread(recompute_files, files)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{found.document['net']}\n", "")
    for number, stated_text, wrong in (
        (2, "12.5", "12.4"),
        (3, "1000.00", "1000.01"),
        (1, ",3000,", ",3001,"),
        (2, "48.39", "48.40"),
    ):
        tampered = [*files]
        tampered[number] = files[number].replace(stated_text.encode(), wrong.encode())
        assert tampered[number] != files[number]
        assert (await asyncio.to_thread(recompute_files, tampered)).returncode == 1


async def test_pages_and_document_say_it(client: AppClient) -> None:
    found = await bought(client, ALL)
    ann = await client.sign_in(found.reader)
    path = f"/statements/{found.document['id']}"
    short = ("12.5% of €145.16", "Minimum €1,000.00 a month, 15 of 31 days", "Minimum 3,000 GB for each partner")
    page = text(await ann.get(path))
    pages = PdfReader(BytesIO((await found.get(".pdf")).content)).pages
    document = " ".join(" ".join(one.extract_text() for one in pages).replace("\u202f", " ").split())
    for said in short:
        assert said in page
        assert said in document
    discount = text(await ann.get(f"{path}/lines/3"))
    for said in ("Percentage 12.5%", "Sum of the lines before it €145.16", "Line 1: Late Pay-per-use", "Sum €145.16"):
        assert said in discount
    minimum = text(await ann.get(f"{path}/lines/4"))
    for said in (
        *("Minimum a month €1,000.00", "Days that count 15 of 31", "Minimum for these days €483.870967742"),
        *("Sum of the lines before it €127.01", "Missing €356.860967742", "Line 3: Late Discount"),
    ):
        assert said in minimum
    capacity = text(await ann.get(f"{path}/lines/2"))
    for said in (
        *("3,000 GB for each partner", "Minimum for these days 1,451.612903226 GB-months"),
        *("Used, on average of the month 483.870967742 GB", "Missing 967.741935484 GB-months"),
    ):
        assert said in capacity


async def test_a_minimum_that_is_not_prorated_and_has_no_lines_before_it(client: AppClient) -> None:
    prices = Prices(reserved=Decimal(1), minimum_charge=Decimal(25000), prorate_minimums=False)
    found = await bought(client, prices)
    (line,) = found.document["lines"]
    assert (line["amount"], line["basis"]) == ("250.00", {"minimum": "250.00"})
    shown = (await found.working("minimum_charge"))["minimumCharge"]
    assert (shown["prorated"], shown["required"], shown["base"], shown["lines"]) == (False, "250.00", "0.00", [])
    done = await asyncio.to_thread(recompute_files, await found.files())
    assert (done.returncode, done.stdout) == (0, "250.00\n")
    ann = await client.sign_in(found.reader)
    page = text(await ann.get(f"/statements/{found.document['id']}/lines/1"))
    assert "All 31 of the month, whether active or not" in page
    assert "Minimum €250.00 a month" in page


@pytest.mark.parametrize("mode", Mode)
async def test_bands_have_their_bounds_and_the_quantity_of_the_month(client: AppClient, mode: Mode) -> None:
    bands = (Band(100, Decimal(6)), Band(400, Decimal(5)), Band(None, Decimal(4)))
    found = await bought(client, Prices(tiers=Tiers(Product.PAY_PER_USE, mode, bands)))
    workings = [(await found.get(f"/lines/{line['no']}/working")).json() for line in found.document["lines"]]
    assert [one["line"]["unitPrice"] for one in workings] == (["4"] if mode is Mode.VOLUME else ["6", "5", "4"])
    whole = {"mode": mode, "totalGbMonths": "483.870967742", "totalByteDays": 15 * TB}
    bounds: list[dict[str, int]] = [{"aboveGb": 0, "upToGb": 100}, {"aboveGb": 100, "upToGb": 400}, {"aboveGb": 400}]
    expected = [{**whole, **bound} for bound in bounds]
    assert [one["band"] for one in workings] == (expected[-1:] if mode is Mode.VOLUME else expected)
    done = await asyncio.to_thread(recompute_files, await found.files())
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{found.document['net']}\n", "")
    ann = await client.sign_in(found.reader)
    shown = text(await ann.get(f"/statements/{found.document['id']}/lines/{len(workings)}"))
    assert "Quantity of the month 483.870967742 GB-months Band More than 400 GB-months" in shown


async def test_what_is_reserved_shows_what_was_used(
    new_database: Callable[[], AbstractContextManager[str]],
) -> None:
    """By a partner of its allocation, and by all partners of what a contract reserves: 11 TB on each day, and 1 TB of
    a partner that has no allocation and came on the 17th. In a database of its own: the operator's prices would concern
    the contracts of other tests."""
    with new_database() as conninfo:
        async with application(conninfo) as client:
            await assert_reserved(client)


async def assert_reserved(client: AppClient) -> None:
    data = await sellers(client.cast)
    client.cast.now = at("2026-03-17")
    late = await client.cast.partner(data.distributor, data.contract, 0)
    account = await client.cast.account(late)
    await record(client.cast, (account, at("2026-03-17"), TB), now=at("2026-03-31", "23:00:00"))
    client.cast.now = client.clock.now = APRIL
    operator = client.cast.operator
    for seller in (operator, data.distributor, data.partner):
        await data.describe(seller)
    await data.price(data.distributor)
    book = await data.price(operator, since=MARCH, excess="2")
    version = NewVersion(MARCH, Prices(reserved=Decimal("0.5"), excess=Decimal(2)))
    number, _ = await client.cast.database.run(price_books.add_version, operator, book, version, APRIL)
    await client.cast.database.transaction(price_books.publish, operator, book, number, APRIL, correct=True)
    await data.assign(operator, SubjectKind.CONTRACT, data.contract, book, MARCH)

    async def used(who: Actor, buyer: Any) -> list[int]:
        path = f"/ext/v1/statements/draft-{buyer}-2026-03/lines/1/working"
        working = (await client.call("GET", path, await client.key(who))).json()
        assert working["line"]["product"] == "reserved"
        return [day["used"] for day in working["days"]]

    assert await used(data.partner, data.partner.organisation_id) == [11 * TB] * 31
    assert await used(data.distributor, data.contract) == [11 * TB] * 16 + [12 * TB] * 15
