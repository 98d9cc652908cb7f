"""Value added tax: a seller's dated table of rates, and which category and rate a supply has.

Tonnage gives no tax advice: it applies the table and the rules below. The categories are those of EN 16931 (UNCL 5305).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, cast

from tonnage.billing_profiles.billing_profile import BillingProfile
from tonnage.billing_profiles.countries import EU, tax_territory
from tonnage.errors import FieldError, Invalid, Sentence
from tonnage.money import Money, digits, round_half_away
from tonnage.utc import parse_day

_PERCENT = re.compile(r"\d{1,3}(?:\.\d{1,3})?", re.ASCII)
_MOST_RATES = 100


class TaxCategory(StrEnum):
    """Categories of EN 16931."""

    STANDARD = "S"
    REVERSE_CHARGE = "AE"
    EXEMPT = "E"
    OUTSIDE_SCOPE = "O"


class BlockedReason(StrEnum):
    """Why no document can be made for a buyer."""

    SELLER_WITHOUT_PROFILE = "seller_without_profile"
    BUYER_WITHOUT_ADDRESS = "buyer_without_address"
    SELLER_WITHOUT_VAT_ID = "seller_without_vat_id"
    NO_RATE = "no_tax_rate"


class TaxWarning(StrEnum):
    """What a seller should know, although a document can be made."""

    NO_VAT_ID_OF_BUYER = "buyer_without_vat_id"
    """A buyer in another member state is taxed as at home, because it has no VAT id."""


@dataclass(frozen=True, slots=True)
class TaxBlocked:
    """No document can be made."""

    reason: BlockedReason


@dataclass(frozen=True, slots=True)
class TaxDecision:
    """The tax on the sum of the lines of one buyer and month."""

    category: TaxCategory
    rate: Decimal
    """Percent."""
    base: Money
    amount: Money
    warning: TaxWarning | None = None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """The standard rate of the category S from a day on."""

    valid_from: date
    percent: Decimal


def rate_on(rates: Iterable[TaxRate], day: date) -> Decimal | None:
    """The rate of a day in percent; None before the first one."""
    known = [rate for rate in rates if rate.valid_from <= day]
    return max(known, key=_valid_from).percent if known else None


def tax(
    seller: BillingProfile | None,
    buyer: BillingProfile | None,
    net: Money,
    day: date,
    rates: Iterable[TaxRate],
    *,
    small_business: bool = False,
) -> TaxDecision | TaxBlocked:
    """The category, rate and amount of a supply whose service period ends on `day`; `net` is the sum of its lines.

    The amount is computed once on that sum, never per line (EN 16931, BR-CO-17).

    - A small business sells everything exempt (E).
    - In its own country: the standard rate (S).
    - To another member state of the European Union: with a VAT id of the buyer reverse charge (AE; VAT directive,
      articles 44 and 196), which needs one of the seller too; without one S at the seller's own rate, with a warning.
    - To any other country, and from a seller outside the Union abroad: outside the scope of the tax (O), because the
      place of a service is where the buyer is (articles 44 and 59). The category G is for exports of goods, which
      storage is not (article 146).
    """
    if not seller:
        return TaxBlocked(BlockedReason.SELLER_WITHOUT_PROFILE)
    if not buyer:
        return TaxBlocked(BlockedReason.BUYER_WITHOUT_ADDRESS)
    category, warning = _category(seller, buyer, small_business=small_business)
    if category is TaxCategory.REVERSE_CHARGE and not seller.vat_id:
        return TaxBlocked(BlockedReason.SELLER_WITHOUT_VAT_ID)
    rate = rate_on(rates, day) if category is TaxCategory.STANDARD else Decimal(0)
    if rate is None:
        return TaxBlocked(BlockedReason.NO_RATE)
    return TaxDecision(category, rate, net, tax_amount(net, rate), warning)


def tax_amount(base: Money, percent: Decimal) -> Money:
    """Rounded to the digits of the currency, half away from zero."""
    exact = Fraction(base.amount) * Fraction(percent) / 100
    return Money(round_half_away(exact, digits(base.currency)), base.currency)


def tax_document(decision: TaxDecision) -> dict[str, str]:
    """A tax as JSON."""
    return {
        "category": decision.category,
        "rate": f"{decision.rate.normalize():f}",
        "base": f"{decision.base.amount:f}",
        "amount": f"{decision.amount.amount:f}",
    }


def _category(
    seller: BillingProfile, buyer: BillingProfile, *, small_business: bool
) -> tuple[TaxCategory, TaxWarning | None]:
    of_seller, of_buyer = tax_territory(seller.country), tax_territory(buyer.country)
    if small_business:
        return TaxCategory.EXEMPT, None
    if of_seller == of_buyer:
        return TaxCategory.STANDARD, None
    if of_seller not in EU or of_buyer not in EU:
        return TaxCategory.OUTSIDE_SCOPE, None
    if buyer.vat_id:
        return TaxCategory.REVERSE_CHARGE, None
    return TaxCategory.STANDARD, TaxWarning.NO_VAT_ID_OF_BUYER


def percent(text: str) -> Decimal:
    """A rate in percent, 0 to 100 with at most 3 decimals. Raises ValueError."""
    if not _PERCENT.fullmatch(text) or Decimal(text) > 100:
        raise ValueError(Sentence("must be a percentage from 0 to 100 with at most 3 decimals, such as 19 or 8.1"))
    return Decimal(text)


def read_rates(rates: Any) -> tuple[TaxRate, ...]:
    """Rates from JSON, in order of their days. Raises Invalid, for all that are wrong at once."""
    if not isinstance(rates, list) or len(given := cast("list[Any]", rates)) > _MOST_RATES:
        raise Invalid.field("rates", Sentence("must be a list of at most {most} rates", most=_MOST_RATES))
    wrong: list[FieldError] = []
    found: dict[date, TaxRate] = {}
    for number, one in enumerate(given):
        rate = _read_rate(one, f"rates.{number}", wrong)
        if rate and rate.valid_from in found:
            wrong.append(FieldError(f"rates.{number}.validFrom", Sentence("is the day of another rate, too")))
        elif rate:
            found[rate.valid_from] = rate
    if wrong:
        raise Invalid.with_fields(wrong)
    return tuple(sorted(found.values(), key=_valid_from))


def _read_rate(given: Any, place: str, wrong: list[FieldError]) -> TaxRate | None:
    if not isinstance(given, dict):
        wrong.append(FieldError(place, Sentence("must be an object")))
        return None
    members = cast("dict[str, Any]", given)
    text, rate = members.get("validFrom"), None
    day = parse_day(text) if isinstance(text, str) else None
    if day is None:
        wrong.append(FieldError(f"{place}.validFrom", Sentence("must be a date, written YYYY-MM-DD")))
    try:
        rate = percent(str(members.get("percent", "")))
    except ValueError as error:
        wrong.append(FieldError(f"{place}.percent", error.args[0]))
    return TaxRate(day, rate) if day and rate is not None else None


def _valid_from(rate: TaxRate) -> date:
    return rate.valid_from
