"""What is added to the next statement of a buyer: how much of it fits, and by whom it is made."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import AppClient
from tests.roles import run_as_owner, url_of
from tests.statements.months import APRIL, Sellers, sellers, sellers_with_prices
from tonnage.access.actor import Actor, Role
from tonnage.billing_profiles.tax import TaxCategory
from tonnage.money import Money
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment import Adjustment, TaxKind, adjusted, gross, taxes
from tonnage.statements.checks import adjustments, corrections

pytestmark = pytest.mark.oldest_postgresql

MARCH, BUYER = date(2026, 3, 1), uuid4()
AT_19, AT_20 = TaxKind(TaxCategory.STANDARD, Decimal(19)), TaxKind(TaxCategory.STANDARD, Decimal(20))
ABROAD = TaxKind(TaxCategory.REVERSE_CHARGE, Decimal(0))


def of(amount: str, tax: TaxKind | None = None, currency: str = "EUR") -> Adjustment:
    return Adjustment(uuid4(), Money(Decimal(amount), currency), None, date(2026, 2, 1), tax, date(2026, 3, 5))


@pytest.mark.parametrize(
    ("net", "given", "used", "sums"),
    [
        ("12.00", ["-5.00"], ["-5.00"], ("7.00", "8.33")),
        ("12.00", ["-5.00", "-5.00", "-5.00"], ["-5.00", "-5.00", "-2.00"], ("0.00", "0.00")),
        ("55.23", ["-60.00"], ["-55.23"], ("0.00", "0.00")),
        ("12.00", ["-20.00", "3.00"], ["3.00", "-15.00"], ("0.00", "0.00")),
        ("0.00", ["-5.00"], [], ("0.00", "0.00")),
        ("0.00", ["5.00"], ["5.00"], ("5.00", "5.95")),
        ("0.00", ["5.00", "-3.00", "-3.00"], ["5.00", "-3.00", "-2.00"], ("0.00", "0.00")),
    ],
)
def test_no_sum_is_below_zero(net: str, given: list[str], used: list[str], sums: tuple[str, str]) -> None:
    added, bases = adjusted([of(one) for one in given], BUYER, MARCH, Money(Decimal(net), "EUR"), AT_19)
    assert [f"{line.amount.amount:f}" for line in added] == used
    whole = sum((base.amount for base in bases.values()), Decimal(0))
    assert (f"{whole:f}", f"{gross(bases, taxes(bases), 'EUR').amount:f}") == sums


def test_what_is_taxed_otherwise_stands_by_itself() -> None:
    """Of a month before the rate changed; the sum of both taxes is not below zero either: 10.00 less would be 0.10 too
    much."""
    _, bases = adjusted([of("-10.00", AT_20)], BUYER, MARCH, Money(Decimal("10.00"), "EUR"), AT_19)
    assert {kind: f"{base.amount:f}" for kind, base in bases.items()} == {AT_19: "10.00", AT_20: "-9.92"}
    assert gross(bases, taxes(bases), "EUR") == Money(Decimal("0.00"), "EUR")
    _, bases = adjusted([of("2.00", ABROAD), of("-1.00", AT_19)], BUYER, MARCH, Money(Decimal("1.00"), "EUR"), AT_19)
    assert {kind: f"{base.amount:f}" for kind, base in bases.items()} == {AT_19: "0.00", ABROAD: "2.00"}


def test_another_currency_waits() -> None:
    added, _ = adjusted([of("1", currency="JPY")], BUYER, MARCH, Money(Decimal("10.00"), "EUR"), AT_19)
    assert added == []


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def call(client: AppClient, who: Actor, method: str, path: str, **more: Any) -> Any:
    return await client.call(method, f"/ext/v1/{path}", await client.key(who, Role.ADMIN), **more)


async def made(client: AppClient, data: Sellers, **more: Any) -> Any:
    body = {"buyer": str(data.partner.organisation_id), "amount": "-5.00", "reason": "The outage", **more}
    return await call(client, data.distributor, "POST", "adjustments", json=body)


@pytest.mark.anyio
async def test_goodwill_is_in_the_draft_and_then_in_the_statement(client: AppClient, data: Sellers) -> None:
    """Use of 110.00, less 5.00."""
    answer = await made(client, data)
    assert answer.status_code == 201, answer.text
    goodwill = answer.json()
    assert (goodwill["amount"], goodwill["remaining"], goodwill["currency"]) == ("-5.00", "-5.00", "EUR")
    draft_id = f"draft-{data.partner.organisation_id}-2026-03"
    client.clock.now = APRIL
    for who in (data.distributor, data.partner):
        draft = (await call(client, who, "GET", f"statements/{draft_id}")).json()
        assert (draft["lines"][-1]["product"], draft["net"]) == ("adjustment", "105.00")
    working = await call(client, data.partner, "GET", f"statements/{draft_id}/lines/3/working")
    assert (working.status_code, working.json()["days"]) == (200, [])

    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    (listed,) = (await call(client, data.partner, "GET", "statements?role=buyer")).json()
    frozen = (await call(client, data.partner, "GET", f"statements/{listed['id']}")).json()
    line = frozen["lines"][-1]
    assert (line["amount"], line["reason"], line["adjustment"]) == ("-5.00", "The outage", goodwill["id"])
    assert (frozen["net"], frozen["taxes"][0]["amount"], frozen["gross"]) == ("105.00", "19.95", "124.95")
    working = await call(client, data.partner, "GET", f"statements/{listed['id']}/lines/3/working")
    assert (working.status_code, working.json()["days"]) == (200, [])
    pdf = await call(client, data.partner, "GET", f"statements/{listed['id']}.pdf")
    assert pdf.content.startswith(b"%PDF")
    assert (await call(client, data.distributor, "GET", "adjustments?state=open")).json() == []
    (used,) = (await call(client, data.distributor, "GET", "adjustments")).json()
    assert used == {**goodwill, "remaining": "0.00"}
    detail = (await call(client, data.partner, "GET", f"adjustments/{goodwill['id']}")).json()
    part = {"id": frozen["id"], "number": "INV-2026-00001", "month": "2026-03", "amount": "-5.00"}
    assert detail["statements"] == [part]
    april = await call(client, data.distributor, "GET", f"statements/draft-{data.partner.organisation_id}-2026-04")
    assert [line["product"] for line in april.json()["lines"]] == ["reserved", "excess"]


@pytest.mark.anyio
async def test_goodwill_is_taken_off_after_the_minimum_charge(client: AppClient) -> None:
    """Use of 12.00, of at least 25.00."""
    data = await sellers(client.cast)
    client.clock.now = APRIL
    buyer = data.partner.organisation_id
    book = await data.price(data.distributor, excess="1.2", minimum_charge=Decimal(2500))
    await data.assign(data.distributor, SubjectKind.PARTNER, buyer, book, MARCH)
    await made(client, data)
    draft = (await call(client, data.partner, "GET", f"statements/draft-{buyer}-2026-03")).json()
    assert [line["amount"] for line in draft["lines"]] == ["12.00", "13.00", "-5.00"]


@pytest.mark.anyio
async def test_the_draft_of_one_month_shows_it(client: AppClient, data: Sellers) -> None:
    """Of the month before, which is frozen first."""
    await made(client, data)
    buyer = data.partner.organisation_id
    drafts = [
        (await call(client, data.partner, "GET", f"statements/draft-{buyer}-{month}")).json()
        for month in ("2026-03", "2026-04")
    ]
    assert [draft["lines"][-1]["product"] for draft in drafts] == ["adjustment", "excess"]


@pytest.mark.anyio
async def test_a_buyer_without_prices_is_charged_in_the_currency_of_what_it_owes(
    client: AppClient, data: Sellers
) -> None:
    await data.describe_account()
    for amount, currency in (("-7.00", "EUR"), ("9.00", "USD")):
        body = {"buyer": f"{data.account}", "amount": amount, "currency": currency, "reason": "Moved"}
        assert (await call(client, data.partner, "POST", "adjustments", json=body)).status_code == 201
    assert (await call(client, data.partner, "POST", "months/2026-03/freeze")).json()["frozen"] == 1
    (listed,) = (await call(client, data.partner, "GET", "statements?role=seller")).json()
    assert (listed["currency"], listed["net"]) == ("USD", "9.00")


@pytest.mark.anyio
async def test_a_correction_is_shown_with_its_lines_before_and_after(client: AppClient, data: Sellers) -> None:
    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    buyer = data.partner.organisation_id
    (listed,) = (await call(client, data.distributor, "GET", f"adjustments?buyer={buyer}&state=open")).json()
    assert (listed["amount"], listed["month"], "reason" in listed) == ("10.00", "2026-03", False)
    for who in (data.distributor, data.partner):
        shown = (await call(client, who, "GET", f"adjustments/{listed['id']}")).json()
        assert [line["amount"] for line in shown["before"]] == ["90.00", "20.00"]
        assert [line["amount"] for line in shown["after"]] == ["90.00", "30.00"]
        assert (shown["statementNumber"], shown["statements"]) == ("INV-2026-00001", [])
        assert (await call(client, who, "GET", f"statements/{shown['statement']}")).status_code == 200
    months = [(await call(client, who, "GET", "months/2026-03")).json() for who in (data.distributor, data.partner)]
    assert [month["adjustments"] for month in months] == [[{"currency": "EUR", "count": 1, "amount": "10.00"}], []]
    stranger = (await sellers(client.cast)).distributor
    assert (await call(client, stranger, "GET", f"adjustments/{listed['id']}")).status_code == 404
    draft = await call(client, data.partner, "GET", f"statements/draft-{buyer}-2026-04")
    assert [line["product"] for line in draft.json()["lines"]] == ["reserved", "excess", "adjustment"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"amount": "0"}, 422, "amount"),
        ({"amount": "0.001"}, 422, "amount"),
        ({"amount": "1000000000000.01"}, 422, "amount"),
        ({"amount": "1e3"}, 422, "amount"),
        ({"amount": "NaN"}, 422, "amount"),
        ({"amount": -5}, 422, "amount"),
        ({"reason": " "}, 422, "reason"),
        ({"reason": "x" * 201}, 422, "reason"),
        ({"reason": "a\u202eb"}, 422, "reason"),
        ({"currency": "XXX"}, 422, "currency"),
        ({"buyer": "Pia"}, 422, "buyer"),
        ({"buyer": "5f2f2a6c-6a0c-4f5c-8a3e-0a8d0c6c7b11"}, 404, None),
    ],
)
async def test_refusals(
    client: AppClient, data: Sellers, wrong: dict[str, Any], status: int, field: str | None
) -> None:
    answer = await made(client, data, **wrong)
    assert answer.status_code == status, answer.text
    if field:
        assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.anyio
async def test_only_a_seller_adjusts(client: AppClient, data: Sellers) -> None:
    """The buyer itself does not. A buyer without prices needs a currency, and one with prices has one."""
    body = {"buyer": str(data.partner.organisation_id), "amount": "-5.00", "reason": "Me"}
    assert (await call(client, data.partner, "POST", "adjustments", json=body)).status_code == 404
    body = {"buyer": f"{data.account}", "amount": "-5.00", "reason": "Slow"}
    answer = await call(client, data.partner, "POST", "adjustments", json=body)
    assert [one["field"] for one in answer.json()["errors"]] == ["currency"]
    answer = await made(client, data, currency="USD")
    assert [one["field"] for one in answer.json()["errors"]] == ["currency"]
    answer = await call(client, data.partner, "POST", "adjustments", json={**body, "currency": "USD"})
    assert (answer.status_code, answer.json()["level"]) == (201, "account")


@pytest.mark.anyio
async def test_the_doctor_computes_adjustments_again(client: AppClient, data: Sellers) -> None:
    await made(client, data)
    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await call(client, data.distributor, "POST", "months/2026-03/freeze")
    run, url = client.cast.database.run, url_of(client.cast.database)
    assert [(await run(check)).differing for check in (adjustments, corrections)] == [0, 0]
    buyer = data.partner.organisation_id
    run_as_owner(url, f"update adjustment set remaining = -1 where partner_id = '{buyer}' and amount < 0")
    run_as_owner(
        url,
        "alter table adjustment disable trigger unchanged",
        f"update adjustment set amount = 11 where partner_id = '{buyer}' and amount > 0",
        "alter table adjustment enable trigger unchanged",
    )
    assert [(await run(check)).differing for check in (adjustments, corrections)] == [2, 1]
    run_as_owner(
        url,
        "alter table adjustment disable trigger unchanged",
        f"update adjustment set amount = 10 where partner_id = '{buyer}' and amount > 0",
        f"update adjustment set remaining = 0 where partner_id = '{buyer}' and amount < 0",
        "alter table adjustment enable trigger unchanged",
    )
