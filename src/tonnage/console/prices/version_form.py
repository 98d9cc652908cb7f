"""The form of a draft: all fields of a version, and bands in rows that may stay empty."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator

from tonnage.console.price_fields import Price, checked_price
from tonnage.errors import Sentence, TonnageError
from tonnage.price_books.version import (
    MOST_BANDS,
    MOST_GB,
    Band,
    MinimumPool,
    Mode,
    NewVersion,
    PayPerUseMinimum,
    Prices,
    Product,
    Tiers,
    tier_errors,
)
from tonnage.web.forms import BoundForm, Checkbox, Form, bind
from tonnage.web.number_fields import Number, OptionalCount
from tonnage.web.number_text import NumberFormat, parse_number, written
from tonnage.web.schemas import Day

FEWEST_ROWS = 4
MORE_ROWS = 2

_PRICES = {
    "reserved": "reserved",
    "excess": "excess",
    "pay_per_use": "pay_per_use",
    "minimum_charge": "minimum_charge",
    "egress": "egress_per_gb",
    "discount": "discount_percent",
}
"""The fields of `Prices`, by those of the form."""


def _percent(number: Decimal) -> Decimal:
    if number > 100:
        raise ValueError("must be 100 or less")
    return checked_price(number)


def _gigabytes(number: int | None) -> int | None:
    if number is not None and number > MOST_GB:
        raise ValueError(Sentence("must be at most {most}", most=MOST_GB))
    return number


class VersionForm(Form):
    """What is left empty is not sold. The bands are read by `bind_version`."""

    valid_from: Day
    reserved: Price | None = None
    excess: Price | None = None
    pay_per_use: Price | None = None
    minimum_gb: Annotated[OptionalCount, AfterValidator(_gigabytes)] = None
    minimum_pool: MinimumPool = MinimumPool.PARTNER
    minimum_charge: Price | None = None
    egress: Price | None = None
    discount: Annotated[Number, AfterValidator(_percent)] | None = None
    prorate: Checkbox = False
    tiers_on: Literal["reserved", "pay_per_use"] | None = None
    tiers_mode: Mode = Mode.GRADUATED


def bind_version(fields: Mapping[str, str], reader: NumberFormat) -> tuple[BoundForm[VersionForm], NewVersion | None]:
    """The form, with the errors of all fields at once, and the version if there are none."""
    form = bind(VersionForm, fields, reader)
    bands, rows = _read_bands(form, reader)
    wanted = fields.get("tiers_on", "")
    if wanted and not rows:
        form.errors.setdefault("tiers_on", Sentence("needs at least one band below"))
    if rows and not wanted:
        form.errors.setdefault("tiers_on", Sentence("must say what the bands below are the prices of"))
    value = form.value
    if value is None or form.errors:
        return form, None
    prices = Prices(
        **{name: getattr(value, field) for field, name in _PRICES.items()},
        pay_per_use_minimum=None
        if value.minimum_gb is None
        else PayPerUseMinimum(value.minimum_gb, value.minimum_pool),
        prorate_minimums=value.prorate,
        tiers=Tiers(Product(value.tiers_on), value.tiers_mode, tuple(bands)) if value.tiers_on else None,
    )
    return form, NewVersion(value.valid_from, prices)


def _read_bands(form: BoundForm[VersionForm], reader: NumberFormat) -> tuple[list[Band], list[int]]:
    """The bands, and the numbers of the rows in which they stand. Rows that are empty do not count."""
    bands: list[Band] = []
    rows = [
        row for row in range(1, MOST_BANDS + 1) if form.raw.get(f"band_{row}_to", "").strip()
        or form.raw.get(f"band_{row}_price", "").strip()
    ]  # fmt: skip
    for row in rows:
        up_to = _read(form, f"band_{row}_to", reader)
        price = _read(form, f"band_{row}_price", reader, required=True)
        bands.append(Band(None if up_to is None else int(up_to), price or Decimal(0)))
    has_wrong_numbers = any(name.startswith("band_") for name in form.errors)
    if bands and not has_wrong_numbers:
        tiers = Tiers(Product.RESERVED, Mode.GRADUATED, tuple(bands))
        for wrong in tier_errors(tiers, [None] * len(bands)):
            _, _, index, *_ = wrong.field.split(".")
            form.errors.setdefault(f"band_{rows[int(index)]}_to", _LAST.get(wrong.message, wrong.message))
    return bands, rows


_LAST = {
    "must not follow a band without upToGb, which has no end": Sentence("must not follow a band that has no end"),
    "must be left out of the last band, which has no end": Sentence("must be left empty in the last band"),
}
"""What rules of bands say in a form, whose fields have other names."""


def _read(form: BoundForm[VersionForm], name: str, reader: NumberFormat, *, required: bool = False) -> Decimal | None:
    text = form.raw.get(name, "")
    if not text.strip():
        if required:
            form.errors[name] = Sentence("is required")
        return None
    try:
        number = parse_number(text, reader)
        return checked_price(number) if required else _bound(number)
    except ValueError as error:
        form.errors[name] = _message(error)
        return None


def _bound(number: Decimal) -> Decimal:
    if number != int(number) or not 1 <= number <= MOST_GB:
        raise ValueError(Sentence("must be a whole number of GB, from 1 to {most}", most=MOST_GB))
    return number


def _message(error: ValueError) -> TonnageError | str:
    said = error.args[0]
    return said if isinstance(said, Sentence) else Sentence(str(said))


def rows_of(raw: Mapping[str, str]) -> range:
    """The rows that the form shows: those that are used, and some more."""
    used = [row for row in range(1, MOST_BANDS + 1) if raw.get(f"band_{row}_to") or raw.get(f"band_{row}_price")]
    return range(1, min(MOST_BANDS, max(FEWEST_ROWS, max(used, default=0) + MORE_ROWS)) + 1)


def texts_of(version: NewVersion, reader: NumberFormat) -> dict[str, str]:
    """What stands in the form of a version."""
    prices, least, tiers = version.prices, version.prices.pay_per_use_minimum, version.prices.tiers
    texts = {"valid_from": version.valid_from.isoformat(), "prorate": "on" if prices.prorate_minimums else ""}
    for field, name in _PRICES.items():
        price = getattr(prices, name)
        texts[field] = "" if price is None else written(price, reader)
    texts["minimum_gb"] = "" if least is None else written(Decimal(least.gb), reader)
    texts["minimum_pool"] = least.pool if least else MinimumPool.PARTNER
    texts["tiers_on"], texts["tiers_mode"] = (tiers.product, tiers.mode) if tiers else ("", Mode.GRADUATED)
    for row, band in enumerate(tiers.bands if tiers else (), 1):
        texts[f"band_{row}_to"] = "" if band.up_to_gb is None else written(Decimal(band.up_to_gb), reader)
        texts[f"band_{row}_price"] = written(band.price, reader)
    return texts
