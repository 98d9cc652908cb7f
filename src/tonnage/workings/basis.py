"""What lines are computed from besides days: other lines, minimums, and bands of prices by quantity. As JSON.

It follows from what is stored with a statement, so that those of long ago have it too, and never from today's prices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tonnage.billing.line import Extra, Line
from tonnage.billing.month import GB, BuyerMonth, SubjectMonth, gb_months, overlaps
from tonnage.billing.rating import active_days, counted_days, in_bands, last_prices, least_charge, pool_use
from tonnage.money import digits, round_half_away
from tonnage.price_books.version import Prices, Product, Tiers
from tonnage.workings.working import WorkingDay

QUANTITY_DIGITS = 9
"""Decimal places of a quantity; the exact integer stands beside it."""

_BASE: Mapping[Product | Extra, frozenset[Product | Extra]] = {
    Extra.DISCOUNT: frozenset({*Product, Extra.CAPACITY_MINIMUM}),
    Extra.MINIMUM_CHARGE: frozenset({*Product, Extra.CAPACITY_MINIMUM, Extra.DISCOUNT}),
}
"""The lines whose sum they are computed from."""

LineDocument = Callable[[int], Mapping[str, Any]]
"""A line of the statement as JSON, by its number."""


def has_basis(line: Line) -> bool:
    """Whether `short_basis` says something of the line."""
    return line.product in _BASE or line.product is Extra.CAPACITY_MINIMUM


def short_basis(line: Line, lines: Sequence[Line], buyer: BuyerMonth) -> dict[str, Any] | None:
    """What a discount or a minimum is computed from, in short: a member of the line. None: it is neither.

    `lines`: all of the statement, in their order.
    """
    rules = last_prices(buyer)
    if rules is None:
        return None
    match line.product:
        case Extra.DISCOUNT:
            return {"percent": plain(rules.discount_percent or Decimal(0)), "base": _base(line, lines)}
        case Extra.MINIMUM_CHARGE:
            return {
                "minimum": _amount(Fraction(rules.minimum_charge or 0) / 100, line.amount.currency),
                "activeDays": active_days(buyer) if rules.prorate_minimums else None,
            }
        case Extra.CAPACITY_MINIMUM if minimum := rules.pay_per_use_minimum:
            return {"minimumGb": minimum.gb, "pool": minimum.pool}
        case _:
            return None


def basis_of(
    number: int,
    lines: Sequence[Line],
    document: LineDocument,
    buyer: BuyerMonth,
    subjects: Iterable[SubjectMonth],
    days: Sequence[WorkingDay],
) -> dict[str, Any]:
    """What a line is computed from besides its days: members of its working, none for most lines.

    `subjects` and `days`: as for `working_of`, and as it returns them.
    """
    line, rules = lines[number - 1], last_prices(buyer)
    if isinstance(line.product, Product):
        tiers = _tiers_of(line, buyer)
        return {"band": _band(number, lines, tiers, buyer, days)} if tiers else {}
    if rules is None:
        return {}
    match line.product:
        case Extra.DISCOUNT:
            return {"discount": {**_short(line, lines, buyer), "lines": _base_lines(line, lines, document)}}
        case Extra.MINIMUM_CHARGE:
            return {"minimumCharge": _minimum_charge(line, lines, document, buyer, rules)}
        case Extra.CAPACITY_MINIMUM:
            return {"capacityMinimum": _capacity_minimum(line, lines, buyer, rules, subjects)}
        case _:
            return {}


def plain(number: Decimal) -> str:
    """Without zeros at the end of its decimal places: 1000, 0.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _short(line: Line, lines: Sequence[Line], buyer: BuyerMonth) -> dict[str, Any]:
    return short_basis(line, lines, buyer) or {}


def _minimum_charge(
    line: Line, lines: Sequence[Line], document: LineDocument, buyer: BuyerMonth, rules: Prices
) -> dict[str, Any]:
    base, least = _base(line, lines), least_charge(buyer, rules)
    return {
        **_short(line, lines, buyer),
        "prorated": rules.prorate_minimums,
        "activeDays": active_days(buyer),
        "required": _amount(least, line.amount.currency),
        "base": base,
        "difference": _amount(least - Fraction(base), line.amount.currency),
        "lines": _base_lines(line, lines, document),
    }


def _capacity_minimum(
    line: Line, lines: Sequence[Line], buyer: BuyerMonth, rules: Prices, subjects: Iterable[SubjectMonth]
) -> dict[str, Any]:
    minimum, month = rules.pay_per_use_minimum, buyer.month
    if minimum is None:
        return {}
    use = pool_use(buyer, subjects, minimum, line.subject_id)
    required = minimum.gb * GB * counted_days(use, rules, month)
    return {
        **_short(line, lines, buyer),
        "prorated": rules.prorate_minimums,
        "activeDays": len(use.days),
        "requiredGbMonths": _quantity(required, buyer),
        "averageGb": _quantity(use.byte_days, buyer),
        "usedByteDays": use.byte_days,
        "missingGbMonths": _quantity(line.byte_days, buyer),
        "unitPrice": plain(line.unit_price) if line.unit_price is not None else None,
    }


def _tiers_of(line: Line, buyer: BuyerMonth) -> Tiers | None:
    first = buyer.month.number(line.first)
    for part in overlaps(buyer.prices.get(line.contract_id, ()), first, first + 1):
        if part.value is not None and isinstance(line.product, Product):
            return part.value.tiers_on(line.product)
    return None


def _band(
    number: int, lines: Sequence[Line], tiers: Tiers, buyer: BuyerMonth, days: Sequence[WorkingDay]
) -> dict[str, Any]:
    line, whole = lines[number - 1], sum(day.quantity for day in days)
    # Two bands may have the same price: a statement has its bands in their order.
    before = [one for one in lines[: number - 1] if _key(one) == _key(line)]
    band = in_bands(tiers, whole, buyer.month)[len(before)]
    return {
        "mode": tiers.mode,
        "aboveGb": band.above_gb,
        "upToGb": band.up_to_gb,
        "totalGbMonths": _quantity(whole, buyer),
        "totalByteDays": whole,
    }


def _key(line: Line) -> tuple[object, ...]:
    return line.product, line.subject_id, line.contract_id, line.first


def _base(line: Line, lines: Iterable[Line]) -> str:
    of = _BASE[line.product]
    return _amount(
        sum((Fraction(one.amount.amount) for one in lines if one.product in of), Fraction(0)), line.amount.currency
    )


def _base_lines(line: Line, lines: Sequence[Line], document: LineDocument) -> list[dict[str, Any]]:
    of = _BASE[line.product]
    shown = ("no", "product", "subject", "subjectName", "amount")
    found = [document(number) for number, one in enumerate(lines, 1) if one.product in of]
    return [{name: one[name] for name in shown} for one in found]


def _amount(exact: Fraction, currency: str) -> str:
    """In the major unit, with the currency's digits, and up to nine where it has more."""
    places = digits(currency)
    rounded = round_half_away(exact, places)
    return f"{rounded:f}" if Fraction(rounded) == exact else plain(round_half_away(exact, QUANTITY_DIGITS))


def _quantity(byte_days: int, buyer: BuyerMonth) -> str:
    return plain(round_half_away(gb_months(byte_days, buyer.month.first), QUANTITY_DIGITS))
