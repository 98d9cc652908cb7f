"""A line of a statement as texts."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from gettext import NullTranslations
from typing import Any

from babel import numbers

from tonnage.billing.month import days_in
from tonnage.documents.texts import MINIMUMS, PRODUCTS
from tonnage.money import Money
from tonnage.wording.formatting import Formats


def line_texts(
    line: Mapping[str, Any], currency: str, formats: Formats, day: Callable[[date], str], words: NullTranslations
) -> dict[str, Any]:
    """Its cells."""
    gettext, product = words.gettext, str(line["product"])
    first, last = date.fromisoformat(line["from"]), date.fromisoformat(line["to"])
    days = day(first) if first == last else f"{day(first)} – {day(last)}"
    about = [f"{gettext(PRODUCTS.get(product) or product)} · {days}"]
    if basis := line.get("basis"):
        about.append(_basis(basis, last, currency, formats, words))
    if line.get("reason"):
        about.append(line["reason"])
    shown = {
        "no": str(line["no"]),
        "name": line["subjectName"],
        "about": about,
        "quantity": "",
        "unit": "",
        "price": "",
        "large": "",
        "amount": formats.exact_money(Money(Decimal(line["amount"]), currency)),
    }
    if line.get("unitPrice") is None:
        return shown
    is_egress = product == "egress"
    per_gb, per_tb = formats.per_gb_and_tb(Decimal(line["unitPrice"]), currency)
    return {
        **shown,
        "quantity": formats.number(Decimal(line["quantityGbMonths"])),
        "unit": gettext("GB") if is_egress else gettext("GB-months"),
        "price": (gettext("{gb} / GB") if is_egress else gettext("{gb} / GB-month")).format(gb=per_gb),
        "large": gettext("({tb} / TB)").format(tb=per_tb),
    }


def _basis(basis: Mapping[str, Any], last: date, currency: str, formats: Formats, words: NullTranslations) -> str:
    """What a discount or a minimum is computed from, in short."""
    gettext = words.gettext
    if "percent" in basis:
        base = formats.exact_money(Money(Decimal(basis["base"]), currency))
        return gettext("{percent} of {base}").format(percent=percent(Decimal(basis["percent"]), formats), base=base)
    if "minimum" in basis:
        amount = formats.exact_money(Money(Decimal(basis["minimum"]), currency))
        if (active := basis.get("activeDays")) is None:
            return gettext("Minimum {amount} a month").format(amount=amount)
        text = gettext("Minimum {amount} a month, {active} of {days} days")
        return text.format(amount=amount, active=active, days=days_in(last))
    least = MINIMUMS[basis["pool"]]
    return gettext(least).format(gb=formats.number(basis["minimumGb"]))


def percent(rate: Decimal, formats: Formats) -> str:
    """`19%`, with all its decimals."""
    return numbers.format_percent(rate.scaleb(-2), locale=formats.babel, decimal_quantization=False)
