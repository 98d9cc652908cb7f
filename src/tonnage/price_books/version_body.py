"""The body of a version, as the API and the files of the command line have it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from tonnage.contracts.contract import price
from tonnage.errors import Invalid, Sentence
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
from tonnage.web.schemas import Day, Flag, RequestModel, Text, with_example


def _is_price(text: str) -> str:
    try:
        price(text)
    except ValueError:
        raise ValueError(_PRICE) from None
    return text


def _is_percent(text: str) -> str:
    if price(_is_price(text)) > 100:
        raise ValueError("must be 100 or less")
    return text


PriceText: TypeAlias = Annotated[Text, AfterValidator(_is_price), Field(json_schema_extra={"examples": ["0.69"]})]
"""Decimal text, so that no language rounds it."""

Percent: TypeAlias = Annotated[Text, AfterValidator(_is_percent)]
Gigabytes: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MOST_GB, json_schema_extra={"format": "int64"})]

_PRICE = Sentence("must be decimal text such as 0.69, from 0 to 1000000000000, with at most 6 digits after the point")
_PRODUCTS = {"reserved": Product.RESERVED, "payPerUse": Product.PAY_PER_USE}


class PayPerUseMinimumBody(RequestModel):
    """The least quantity of pay-per-use that is charged."""

    model_config = with_example({"gb": 1000, "pool": "partner"})

    gb: Gigabytes
    """GB-months, compared with the month's average of each pool."""
    pool: Literal["account", "partner", "contract"]
    """Whose use is added up and compared: each storage account's, each partner's, or all of the contract's."""


class BandBody(RequestModel):
    """A band of a table of prices by quantity."""

    model_config = with_example({"upToGb": 100_000, "price": "0.6"})

    from_gb: Gigabytes | None = None
    """Where it begins, exclusive. It can be left out: it is where the band before it ends, 0 for the first one."""
    up_to_gb: Annotated[int, Field(strict=True, ge=1, le=MOST_GB, json_schema_extra={"format": "int64"})] | None = None
    """Where it ends, inclusive, in GB-months. Left out of the last band, which has no end."""
    price: PriceText
    """Hundredths of the major unit per GB-month, as decimal text."""


class TiersBody(RequestModel):
    """Prices by quantity, which replace the price of their product."""

    model_config = with_example(
        {"on": "reserved", "mode": "graduated", "bands": [{"upToGb": 100_000, "price": "0.6"}, {"price": "0.4"}]}
    )

    on: Literal["reserved", "payPerUse"]
    """The product."""
    mode: Literal["graduated", "volume"]
    """`graduated`: each part of the quantity at the price of its band. `volume`: all of it at the price of the band
    that it reaches."""
    bands: Annotated[list[BandBody], Field(min_length=1, max_length=MOST_BANDS)]
    """From 0, without a gap."""


class VersionReqBody(RequestModel):
    """The prices of a version. What is left out is not sold."""

    model_config = with_example(
        {
            "validFrom": "2026-11-01",
            "reserved": "0.69",
            "excess": "1",
            "payPerUse": "1",
            "payPerUseMinimum": {"gb": 1000, "pool": "partner"},
            "minimumCharge": "0",
            "egressPerGb": "0",
            "discountPercent": "0",
            "prorateMinimums": True,
        }
    )

    valid_from: Day
    """The first day on which they apply, UTC. The first of a month for prices by quantity."""
    reserved: PriceText | None = None
    """Per GB-month of the reserved or allocated capacity, used or not. All prices are hundredths of the major unit, as
    decimal text."""
    excess: PriceText | None = None
    """Per GB-month of use beyond the allocation. A contract's own price of excess always counts instead."""
    pay_per_use: PriceText | None = None
    """Per GB-month of use of what has no allocation. Without it, the price of excess."""
    pay_per_use_minimum: PayPerUseMinimumBody | None = None
    """The least quantity of pay-per-use that is charged in a month."""
    minimum_charge: PriceText | None = None
    """The least that is charged for a month, before adjustments and tax."""
    egress_per_gb: PriceText | None = None
    """Per GB sent to clients, where it is measured."""
    discount_percent: Percent | None = None
    """Percent of the sum of the lines of use and the minimum of pay-per-use: 0 to 100."""
    prorate_minimums: Flag | None = None
    """Whether the minimums count only for the share of the month in which the buyer was active. Without it, they do."""
    tiers: TiersBody | None = None
    """Prices by quantity."""

    def new_version(self) -> NewVersion:
        """Raises Invalid, with the errors of all bands."""
        least = self.pay_per_use_minimum
        prices = Prices(
            reserved=_decimal(self.reserved),
            excess=_decimal(self.excess),
            pay_per_use=_decimal(self.pay_per_use),
            pay_per_use_minimum=least and PayPerUseMinimum(least.gb, MinimumPool(least.pool)),
            minimum_charge=_decimal(self.minimum_charge),
            egress_per_gb=_decimal(self.egress_per_gb),
            discount_percent=_decimal(self.discount_percent),
            prorate_minimums=self.prorate_minimums is not False,
            tiers=self.tiers and _tiers(self.tiers),
        )
        return NewVersion(self.valid_from, prices)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else price(text)


def _tiers(body: TiersBody) -> Tiers:
    bands: Sequence[Band] = [Band(band.up_to_gb, price(band.price)) for band in body.bands]
    tiers = Tiers(_PRODUCTS[body.on], Mode(body.mode), tuple(bands))
    if wrong := tier_errors(tiers, [band.from_gb for band in body.bands]):
        raise Invalid.with_fields(wrong)
    return tiers
