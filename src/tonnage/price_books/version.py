"""A version of a price book: prices from a day on. Prices are hundredths of the currency's major unit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, TypeVar
from uuid import UUID

from tonnage.errors import FieldError, NotFound, Sentence

T = TypeVar("T")

_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

MOST_BANDS = 20
MOST_GB = 10**12
"""The largest bound of a band and the largest minimum: 1 ZB."""


class Product(StrEnum):
    """What a price is for."""

    RESERVED = "reserved"
    """The reserved or allocated capacity, used or not."""
    EXCESS = "excess"
    """Use beyond it."""
    PAY_PER_USE = "pay_per_use"
    """Use of what has no allocation."""
    EGRESS = "egress"
    """Bytes sent to clients."""


class MinimumPool(StrEnum):
    """Whose use is compared with the minimum of pay-per-use."""

    ACCOUNT = "account"
    PARTNER = "partner"
    CONTRACT = "contract"


class Mode(StrEnum):
    """How bands are applied."""

    GRADUATED = "graduated"
    """Each part of the quantity at the price of its band."""
    VOLUME = "volume"
    """The whole quantity at the price of the band that it reaches."""


@dataclass(frozen=True)
class Band:
    """A range of quantities: above the band before it, up to and including `up_to_gb` GB-months; None: without end."""

    up_to_gb: int | None
    price: Decimal


@dataclass(frozen=True)
class Tiers:
    """Prices by quantity, of a buyer's month under one contract."""

    product: Product
    """Reserved or pay-per-use."""
    mode: Mode
    bands: tuple[Band, ...]

    def cheaper_for_more(self) -> Band | None:
        """The first band of a volume table beyond whose end the total is smaller than at its end; None: there is none.

        At 100 GB for 6 each and 5 each beyond, 101 GB cost less than 100.
        """
        if self.mode is Mode.VOLUME:
            for band, following in zip(self.bands, self.bands[1:], strict=False):
                if following.price < band.price:
                    return band
        return None


@dataclass(frozen=True)
class PayPerUseMinimum:
    """What is charged at least of pay-per-use: compared with the month's average of each pool."""

    gb: int
    pool: MinimumPool


@dataclass(frozen=True)
class Prices:
    """The content of a version. None is not sold; pay-per-use without a price of its own costs the price of excess."""

    reserved: Decimal | None = None
    excess: Decimal | None = None
    pay_per_use: Decimal | None = None
    pay_per_use_minimum: PayPerUseMinimum | None = None
    minimum_charge: Decimal | None = None
    """A month, hundredths of the major unit."""
    egress_per_gb: Decimal | None = None
    discount_percent: Decimal | None = None
    prorate_minimums: bool = True
    """Whether both minimums count only for the share of the month in which the buyer was active."""
    tiers: Tiers | None = None

    def price_of(self, product: Product) -> Decimal | None:
        """The plain price of a product; None is not sold."""
        match product:
            case Product.RESERVED:
                return self.reserved
            case Product.EXCESS:
                return self.excess
            case Product.PAY_PER_USE:
                return self.excess if self.pay_per_use is None else self.pay_per_use
            case Product.EGRESS:
                return self.egress_per_gb

    def tiers_on(self, product: Product) -> Tiers | None:
        """The bands that replace the price of the product."""
        return self.tiers if self.tiers is not None and self.tiers.product is product else None


@dataclass(frozen=True)
class NewVersion:
    """A draft: prices, and the first day on which they are to apply."""

    valid_from: date
    prices: Prices


Versions: TypeAlias = Sequence[tuple[date, Prices]]
"""The published versions of a book, in the order of publication: the first day, and the prices."""


def in_force(written: Sequence[tuple[date, T]], day: date) -> tuple[date, T] | None:
    """What applies on a day, and since when. `written` has first days in the order of writing: of two that begin on a
    day the later counts.
    """
    begun = [(since, position) for position, (since, _) in enumerate(written) if since <= day]
    return written[max(begun)[1]] if begun else None


def refused_tiers(draft: NewVersion, published: Versions) -> Sentence | None:
    """Why a draft cannot be published, as a sentence without a subject: prices by quantity begin and end on the first
    of a month. None: it can.
    """
    versions = [*published, (draft.valid_from, draft.prices)]
    for day in sorted({since for since, _ in versions if since >= draft.valid_from and since.day != 1}):
        before, after = in_force(versions, day - timedelta(days=1)), in_force(versions, day)
        if before is not after and any(one is not None and one[1].tiers for one in (before, after)):
            return Sentence(
                "begins or ends prices by quantity on {day}; that is possible on the first of a month",
                day=day.isoformat(),
            )
    return None


def tier_errors(tiers: Tiers, starts: Sequence[int | None]) -> list[FieldError]:
    """What is wrong with the bands: they begin at 0, leave no gap, and the last one has no end. `starts`: the stated
    beginning of each band; None where it is left out, since it follows from the band before it.
    """
    wrong: list[FieldError] = []
    end: int | None = 0
    for index, (band, start) in enumerate(zip(tiers.bands, starts, strict=True)):
        place = f"tiers.bands.{index}"
        if end is None:
            wrong.append(FieldError(place, Sentence("must not follow a band without upToGb, which has no end")))
            break
        if start is not None and start != end:
            text = Sentence("must be {end}, where the band before it ends; the first band begins at 0", end=end)
            wrong.append(FieldError(f"{place}.fromGb", text))
        if band.up_to_gb is not None and band.up_to_gb <= end:
            wrong.append(FieldError(f"{place}.upToGb", Sentence("must be more than {end}", end=end)))
        end = band.up_to_gb
    if end is not None:
        last = f"tiers.bands.{len(tiers.bands) - 1}.upToGb"
        wrong.append(FieldError(last, Sentence("must be left out of the last band, which has no end")))
    return wrong


def version_number(book_id: UUID, text: str) -> int:
    """The number in a path. NotFound for a text that cannot be one."""
    if not _NUMBER.fullmatch(text):
        raise no_version(book_id, text)
    return int(text)


def no_version(book_id: UUID, number: int | str) -> NotFound:
    """The version does not exist; of a book that does."""
    return NotFound("Price book {book} has no version {number}.", book=str(book_id), number=str(number))
