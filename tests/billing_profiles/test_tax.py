"""The tax of a supply, case by case."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.billing_profiles.profiles import of_country
from tonnage.billing_profiles.billing_profile import BillingProfile, read_profile
from tonnage.billing_profiles.tax import BlockedReason, TaxBlocked, TaxDecision, TaxRate, TaxWarning, read_rates, tax
from tonnage.errors import Invalid
from tonnage.money import Money, total

RATES = (TaxRate(date(2026, 1, 1), Decimal(19)), TaxRate(date(2027, 1, 1), Decimal(20)))
DECEMBER = date(2026, 12, 31)


def profile(country: str, vat_id: str = "") -> BillingProfile:
    return read_profile(of_country(country, vat_id))


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def decided(seller: BillingProfile, buyer: BillingProfile, **more: Any) -> TaxDecision | BlockedReason:
    found = tax(seller, buyer, euros("100.00"), DECEMBER, RATES, **more)
    return found.reason if isinstance(found, TaxBlocked) else found


DE, AT = ("DE", "DE136695976"), ("AT", "ATU13585627")


@pytest.mark.parametrize(("seller", "buyer", "category", "amount", "warning"), [
    (DE, DE, "S", "19.00", None),
    (DE, ("DE",), "S", "19.00", None),
    (DE, AT, "AE", "0.00", None),
    (DE, ("AT",), "S", "19.00", TaxWarning.NO_VAT_ID_OF_BUYER),
    (("FR", "FR40303265045"), ("MC", "FR23334175221"), "S", "19.00", None),
    (("MC", "FR40303265045"), AT, "AE", "0.00", None),
    (("GR", "EL094259216"), AT, "AE", "0.00", None),
    # Services to Northern Ireland are services to the United Kingdom.
    (DE, ("GB", "XI980780684"), "O", "0.00", None),
    (DE, ("CH", "CHE107787577IVA"), "O", "0.00", None),
    (DE, ("US",), "O", "0.00", None),
    (DE, ("AX",), "O", "0.00", None),
    (("CH", "CHE107787577IVA"), DE, "O", "0.00", None),
    (("CH", "CHE107787577IVA"), ("CH",), "S", "19.00", None),
    (("GB",), ("IM",), "S", "19.00", None),
])  # fmt: skip
def test_the_category(
    seller: tuple[str, ...], buyer: tuple[str, ...], category: str, amount: str, warning: TaxWarning | None
) -> None:
    found = decided(profile(*seller), profile(*buyer))
    assert isinstance(found, TaxDecision)
    assert (found.category, found.amount, found.warning) == (category, euros(amount), warning)
    assert found.base == euros("100.00")
    assert found.rate == (19 if category == "S" else 0)


def test_a_small_business_charges_nobody() -> None:
    for buyer in (DE, AT, ("AT",), ("US",)):
        found = decided(profile("DE"), profile(*buyer), small_business=True)
        assert isinstance(found, TaxDecision)
        assert (found.category, found.rate, found.amount) == ("E", 0, euros("0.00"))


def test_who_is_blocked() -> None:
    seller, buyer = profile(*DE), profile(*AT)
    net = euros("1.00")
    assert decided(profile("DE"), buyer) is BlockedReason.SELLER_WITHOUT_VAT_ID
    for missing in (None, BillingProfile()):
        for day in (DECEMBER, date(2025, 12, 31)):
            assert tax(missing, buyer, net, day, RATES) == TaxBlocked(BlockedReason.SELLER_WITHOUT_PROFILE)
            assert tax(seller, missing, net, day, RATES) == TaxBlocked(BlockedReason.BUYER_WITHOUT_ADDRESS)
    assert tax(seller, seller, net, date(2025, 12, 31), RATES) == TaxBlocked(BlockedReason.NO_RATE)
    assert tax(seller, seller, net, DECEMBER, ()) == TaxBlocked(BlockedReason.NO_RATE)
    # Without tax no rate is needed.
    assert isinstance(tax(seller, buyer, net, DECEMBER, ()), TaxDecision)


@pytest.mark.parametrize(("day", "rate"), [
    (date(2026, 1, 1), 19), (DECEMBER, 19), (date(2027, 1, 1), 20), (date(2027, 1, 31), 20),
])  # fmt: skip
def test_the_rate_is_that_of_the_end_of_the_service_period(day: date, rate: int) -> None:
    """A December that is made final in January has the rate of December."""
    seller = profile(*DE)
    for rates in (RATES, RATES[::-1]):
        found = tax(seller, seller, euros("100.00"), day, rates)
        assert isinstance(found, TaxDecision)
        assert found.rate == rate


@pytest.mark.parametrize(("lines", "currency", "percent", "base", "amount"), [
    (["0.02"] * 3, "EUR", "19", "0.06", "0.01"),
    (["15.59"] * 4, "EUR", "9", "62.36", "5.61"),
    (["-0.02"] * 3, "EUR", "19", "-0.06", "-0.01"),
    (["2.50"], "EUR", "5", "2.50", "0.13"),
    (["-2.50"], "EUR", "5", "-2.50", "-0.13"),
    (["1935"], "JPY", "10", "1935", "194"),
    (["1.235"], "KWD", "5", "1.235", "0.062"),
    (["100.00"], "CHF", "8.1", "100.00", "8.10"),
    (["9" * 43 + ".99"], "EUR", "19", "9" * 43 + ".99", "19" + "0" * 41 + ".00"),
])  # fmt: skip
def test_the_tax_is_computed_once_on_the_sum(
    lines: list[str], currency: str, percent: str, base: str, amount: str
) -> None:
    seller = profile(*DE)
    net = total([Money(Decimal(line), currency) for line in lines], currency)
    found = tax(seller, seller, net, DECEMBER, (TaxRate(date(2020, 1, 1), Decimal(percent)),))
    assert isinstance(found, TaxDecision)
    assert (str(found.base.amount), str(found.amount.amount)) == (base, amount)


def test_a_table_is_read() -> None:
    sent = [{"validFrom": "2027-01-01", "percent": "20"}, {"validFrom": "2026-01-01", "percent": "19"}]
    assert read_rates(sent) == RATES
    assert read_rates([]) == ()


def rate(valid_from: Any = "2026-01-01", percent: Any = "19") -> dict[str, Any]:
    return {"validFrom": valid_from, "percent": percent}


NO_PERCENT = ("", "-1", "101", "1e1", "NaN", "19.1234", "\u0661\u0669", "19 %", "1" * 9999, True, None)
NO_TABLES: list[tuple[Any, set[str]]] = [
    (None, {"rates"}),
    ({}, {"rates"}),
    ([rate()] * 101, {"rates"}),
    ([1], {"rates.0"}),
    ([{}], {"rates.0.validFrom", "rates.0.percent"}),
    ([rate("2026-02-30")], {"rates.0.validFrom"}),
    ([rate("20260101")], {"rates.0.validFrom"}),
    ([rate(), rate(percent="1")], {"rates.1.validFrom"}),
    *(([rate(percent=wrong)], {"rates.0.percent"}) for wrong in NO_PERCENT),
]


@pytest.mark.parametrize(("rates", "fields"), NO_TABLES)
def test_what_is_no_table(rates: object, fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_rates(rates)
    assert {field.field for field in refused.value.fields} == fields
