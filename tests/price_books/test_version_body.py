"""What the body of a version may contain."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tonnage.errors import Invalid
from tonnage.price_books.version import Band, MinimumPool, Mode, PayPerUseMinimum, Prices, Product, Tiers
from tonnage.price_books.version_body import VersionReqBody

FROM = {"validFrom": "2026-11-01"}


def tiers(*bands: dict[str, Any], on: str = "reserved", mode: str = "graduated") -> dict[str, Any]:
    return {"tiers": {"on": on, "mode": mode, "bands": list(bands)}}


def test_everything_can_be_said() -> None:
    body = {
        **FROM,
        "reserved": "0.69",
        "excess": "1",
        "payPerUse": "1000000000000",
        "payPerUseMinimum": {"gb": 1000, "pool": "partner"},
        "minimumCharge": "0",
        "egressPerGb": "0.000001",
        "discountPercent": "100",
        "prorateMinimums": False,
        **tiers({"upToGb": 100_000, "price": "0.6"}, {"price": "0.4"}, on="payPerUse", mode="volume"),
    }
    version = VersionReqBody.model_validate(body).new_version()
    assert version.valid_from.isoformat() == "2026-11-01"
    assert version.prices == Prices(
        Decimal("0.69"),
        Decimal(1),
        Decimal(10**12),
        PayPerUseMinimum(1000, MinimumPool.PARTNER),
        Decimal(0),
        Decimal("0.000001"),
        Decimal(100),
        False,
        Tiers(Product.PAY_PER_USE, Mode.VOLUME, (Band(100_000, Decimal("0.6")), Band(None, Decimal("0.4")))),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"reserved": "-1"},
        {"reserved": "1000000000000.000001"},
        {"reserved": "10000000000000"},
        {"reserved": "0.0000001"},
        {"reserved": 1},
        {"reserved": "1e3"},
        {"reserved": "١"},
        {"reserved": ""},
        {"reserved": " 1"},
        {"reserved": "NaN"},
        {"discountPercent": "100.5"},
        {"discountPercent": "-1"},
        {"payPerUseMinimum": {"gb": -1, "pool": "partner"}},
        {"payPerUseMinimum": {"gb": 1, "pool": "world"}},
        {"payPerUseMinimum": {"gb": 1}},
        {"validFrom": "2026-02-30"},
        {"validFrom": None},
        tiers(),
        tiers({"price": "1"}, on="excess"),
        tiers({"price": "1"}, mode="stairstep"),
        tiers(*[{"upToGb": number, "price": "1"} for number in range(1, 21)], {"price": "1"}),
        tiers({"upToGb": 0, "price": "1"}, {"price": "1"}),
    ],
)
def test_what_breaks_a_rule(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VersionReqBody.model_validate(FROM | wrong)


@pytest.mark.parametrize(
    ("bands", "field", "message"),
    [
        (
            [{"fromGb": 10, "upToGb": 100, "price": "1"}, {"price": "1"}],
            "tiers.bands.0.fromGb",
            "must be 0, where the band before it ends; the first band begins at 0",
        ),
        (
            [{"upToGb": 100, "price": "1"}, {"fromGb": 200, "price": "1"}],
            "tiers.bands.1.fromGb",
            "must be 100, where the band before it ends; the first band begins at 0",
        ),
        (
            [{"upToGb": 100, "price": "1"}, {"upToGb": 100, "price": "1"}, {"price": "1"}],
            "tiers.bands.1.upToGb",
            "must be more than 100",
        ),
        (
            [{"upToGb": 100, "price": "1"}],
            "tiers.bands.0.upToGb",
            "must be left out of the last band, which has no end",
        ),
        ([{"price": "1"}, {"price": "2"}], "tiers.bands.1", "must not follow a band without upToGb, which has no end"),
    ],
)
def test_bands_begin_at_0_and_leave_no_gap(bands: list[dict[str, Any]], field: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        VersionReqBody.model_validate(FROM | tiers(*bands)).new_version()
    assert (caught.value.fields[0].field, str(caught.value.fields[0].message)) == (field, message)


def test_a_volume_table_that_is_cheaper_for_more() -> None:
    bands = Band(100, Decimal(6)), Band(200, Decimal(6)), Band(None, Decimal(5))
    assert Tiers(Product.RESERVED, Mode.VOLUME, bands).cheaper_for_more() == bands[1]
    assert Tiers(Product.RESERVED, Mode.GRADUATED, bands).cheaper_for_more() is None
    assert Tiers(Product.RESERVED, Mode.VOLUME, bands[:2]).cheaper_for_more() is None
