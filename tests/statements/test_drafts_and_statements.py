"""A draft is what would be frozen now: lines, taxes, parties and sums."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.statements.months import APRIL, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call
from tests.usage.steps import at
from tonnage.access.actor import Actor
from tonnage.billing.actions import compute_last, compute_running
from tonnage.billing.buyer import Buyer
from tonnage.billing_profiles.settings_actions import set_tax_rates
from tonnage.billing_profiles.tax import TaxRate
from tonnage.credit_notes.actions import void_statement
from tonnage.money import Money
from tonnage.month_end.freezing_actions import freeze
from tonnage.price_books.assignment import SubjectKind
from tonnage.statements.adjustment import NewAdjustment
from tonnage.statements.adjustment_queries import create

pytestmark = pytest.mark.anyio

MARCH = "2026-03"
SAME = ("lines", "net", "taxes", "gross", "parties", "document", "buyerName", "sellerName")


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def adjust(data: Sellers, amount: str) -> None:
    buyer = Buyer(SubjectKind.PARTNER, data.partner.organisation_id, "Pia", data.distributor.organisation_id, "")
    new = NewAdjustment(Money(Decimal(amount), "EUR"), "Outage")
    await data.cast.database.run(create, buyer, new, data.cast.now, data.distributor.stamp)


async def drafted(client: AppClient, data: Sellers, month: str = MARCH) -> dict[str, Any]:
    found = await call(client, data.distributor, "GET", f"statements/draft-{data.partner.organisation_id}-{month}")
    assert found.status_code == 200, found.text
    return found.json()


def same(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document.get(name) for name in SAME}


@pytest.mark.parametrize("adjustment", [None, "7.00", "-5.25", "-1000.00"])
async def test_a_draft_is_what_is_frozen(client: AppClient, data: Sellers, adjustment: str | None) -> None:
    if adjustment:
        await adjust(data, adjustment)
    before = await drafted(client, data)
    assert (before["state"], before.get("blocked")) == ("draft", None)
    await data.freeze(data.distributor)
    # By the id of the draft the frozen one is found.
    after = await drafted(client, data)
    assert after["state"] == "frozen"
    assert same(after) == same(before)
    assert Decimal(after["gross"]) == Decimal(after["net"]) + sum(Decimal(tax["amount"]) for tax in after["taxes"])
    (tax,) = after["taxes"]
    assert tax["rate"] == "19"


async def test_goodwill_and_a_correction_of_another_rate(client: AppClient, data: Sellers) -> None:
    """10.00 more at 19 % and 10.00 less at 16 %: the net is 0, and the difference of the taxes is owed."""
    await data.freeze(data.distributor)
    rates = [TaxRate(date(2020, 1, 1), Decimal(19)), TaxRate(date(2026, 4, 1), Decimal(16))]
    await data.cast.database.run(set_tax_rates, data.distributor, rates, data.cast.now)
    await data.reprice(data.distributor, reserved="0.9", excess="3")
    await data.freeze(data.distributor)
    await adjust(data, "-2000.00")
    client.clock.now = at("2026-05-05")
    before = await drafted(client, data, "2026-04")
    assert {tax["rate"] for tax in before["taxes"]} == {"16", "19"}
    assert (before["net"], before["gross"]) == ("0.00", "0.30")
    await freeze(data.services, data.distributor, date(2026, 4, 1), at("2026-05-05"))
    assert same(await drafted(client, data, "2026-04")) == same(before)


async def test_a_blocked_month_has_what_waits_for_the_next_statement(client: AppClient, data: Sellers) -> None:
    """And no taxes; the running month does not have it as well."""
    rates = "delete from tax_rate where organisation_id = %s returning 1"
    await data.cast.row(rates, data.distributor.organisation_id)
    assert len((await data.freeze(data.distributor)).blocked) == 1
    await adjust(data, "-10.00")
    blocked, running = await drafted(client, data), await drafted(client, data, "2026-04")
    assert (blocked["blocked"], blocked["taxes"], blocked["gross"]) == ("no_tax_rate", [], blocked["net"])
    assert [line["product"] for line in blocked["lines"]].count("adjustment") == 1
    assert "adjustment" not in [line["product"] for line in running["lines"]]
    await data.describe(data.distributor)
    before = await drafted(client, data)
    await data.freeze(data.distributor)
    assert same(await drafted(client, data)) == same(before)


async def test_a_void_month_likewise(client: AppClient, data: Sellers) -> None:
    await data.freeze(data.distributor)
    await adjust(data, "-1000.00")
    ((statement,),) = await data.rows("id", data.distributor)
    await data.cast.database.transaction(void_statement, data.distributor, statement, "Wrong address", data.cast.now)
    before = await drafted(client, data)
    assert before["net"] == "0.00"
    await data.freeze(data.distributor)
    assert same(await drafted(client, data)) == same(before)


async def test_a_payment_is_of_a_statement_and_not_before_its_month(client: AppClient, data: Sellers) -> None:
    await data.freeze(data.distributor)
    statement = (await drafted(client, data))["id"]
    early = {"paidOn": "2026-02-28", "reference": "Line 4"}
    refused = await call(client, data.distributor, "POST", f"statements/{statement}/payment", json=early)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "paidOn")
    note = await call(
        client, data.distributor, "POST", f"statements/{statement}/credit-notes", json={"reason": "Outage"}
    )
    assert note.status_code == 201, note.text
    paid = {"paidOn": "2026-04-02", "reference": "Line 4"}
    refused = await call(client, data.distributor, "POST", f"statements/{note.json()['id']}/payment", json=paid)
    assert (refused.status_code, refused.json()["code"]) == (409, "statement_state")
    assert "nothing to refund" in refused.json()["detail"]


async def test_prices_into_a_frozen_month_are_a_conflict(client: AppClient, data: Sellers) -> None:
    await data.freeze(data.distributor)
    client.clock.now = APRIL.replace(day=18)
    book = await data.price(data.distributor, since=date(2026, 5, 1), excess="3")
    path = f"price-books/{book}/versions"
    for day, status in (("2026-03-31", 409), ("2026-04-01", 422)):
        made = await call(client, data.distributor, "POST", path, json={"validFrom": day, "excess": "4"})
        assert made.status_code == 201, made.text
        published = f"{path}/{made.json()['number']}/publication"
        refused = await call(client, data.distributor, "POST", published)
        assert refused.status_code == status, refused.text
    assert "2026-04-01" in (await call(client, data.distributor, "POST", f"{path}/2/publication")).json()["detail"]
    body = {"priceBook": str(book), "validFrom": "2026-03-31"}
    assigning = f"price-assignments/partner/{data.partner.organisation_id}"
    refused = await call(client, data.distributor, "PUT", assigning, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "month_frozen")


async def test_drafts_of_a_month_are_listed(client: AppClient, data: Sellers) -> None:
    """With their nets, which are those of the drafts themselves; what is frozen is none any more."""
    await data.price(data.partner)
    for compute in (compute_running, compute_last):
        await compute(data.cast.database, APRIL)

    async def listed(who: Actor, query: str = f"month={MARCH}") -> list[dict[str, Any]]:
        found = await call(client, who, "GET", f"statements?state=draft&{query}")
        assert found.status_code == 200, found.text
        return found.json()

    buyers = {data.distributor: str(data.partner.organisation_id), data.partner: str(data.account)}
    for seller, buyer in buyers.items():
        (found,) = await listed(seller)
        shown = await call(client, seller, "GET", f"statements/{found['id']}")
        assert (found["buyer"], found["state"]) == (buyer, "draft")
        assert {name: found[name] for name in ("net", "currency", "level", "buyerName")} == {
            name: shown.json()[name] for name in ("net", "currency", "level", "buyerName")
        }
        (running,) = await listed(seller, "limit=1")
        assert running["month"] == "2026-04"
    (bought,) = await listed(data.partner, f"role=buyer&month={MARCH}")
    assert bought["seller"] == str(data.distributor.organisation_id)
    assert [one["level"] for one in await listed(data.distributor, f"role=buyer&month={MARCH}")] == ["contract"]
    assert str(data.contract) in [one["buyer"] for one in await listed(client.cast.operator)]
    assert await listed(client.cast.operator, "role=buyer") == []
    assert await listed((await sellers_with_prices(client.cast)).distributor, "month=2026-02") == []
    client.clock.now = APRIL
    await data.freeze(data.distributor)
    assert await listed(data.distributor) == []
