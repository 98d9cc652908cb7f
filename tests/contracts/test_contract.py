from decimal import Decimal

import pytest

from tonnage.contracts.contract import currency, price


@pytest.mark.parametrize(("text", "cents"), [("100", "100"), ("0.5", "0.5"), ("0", "0"), ("999999999999.999999",) * 2])
def test_prices_are_exact(text: str, cents: str) -> None:
    assert price(text) == Decimal(cents)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e3", "1E-400", "1_0", "٣", "NaN", ".5", "5.", "1" * 13, "0.1234567"]
)
def test_invalid_prices(text: str) -> None:
    with pytest.raises(ValueError, match="is not a price"):
        price(text)


def test_currencies() -> None:
    assert [currency(code) for code in ("EUR", "JPY", "KWD")] == ["EUR", "JPY", "KWD"]
    for wrong in ("eur", "EURO", "E1R", "", "XXX", "XTS", "ZZZ", "XAU", "USN", "DEM"):
        with pytest.raises(ValueError, match="is not a currency"):
            currency(wrong)
