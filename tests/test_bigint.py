"""Ids of rows in texts of users."""

import pytest

from tonnage.bigint import parse_bigint


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "x", "²", "١", "1\n", "9" * 19, "1" * 5_000]
)
def test_what_is_no_id(text: str) -> None:
    assert parse_bigint(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("4711", 4711), ("9" * 18, 10**18 - 1)])
def test_an_id_fits_the_type_of_the_database(text: str, number: int) -> None:
    assert parse_bigint(text) == number < 2**63
