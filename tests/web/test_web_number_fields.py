"""Fields of forms with numbers: sizes of two fields, and what they mean."""

import pytest

from tonnage.units import MAX_CAPACITY
from tonnage.web.forms import Form, bind
from tonnage.web.number_fields import Number, SignedNumber, Size, number_in, size_in, typed_size
from tonnage.web.number_text import WITH_POINT, NumberFormat

COMMA = NumberFormat(",")


class Delivery(Form):
    size: Size
    weight: Number


def error_of(size: str, unit: str = "TB", reader: NumberFormat = COMMA) -> str:
    form = bind(Delivery, {"size": size, "size_unit": unit, "weight": "1"}, reader)
    assert form.raw["size"] == size
    assert set(form.errors) <= {"size"}
    return str(form.errors.get("size", ""))


def test_a_size_and_a_number_are_read_by_the_readers_format() -> None:
    form = bind(Delivery, {"size": "1,5", "size_unit": "TB", "weight": "0,25"}, COMMA)
    assert form.value is not None
    assert (form.value.size, str(form.value.weight)) == (1_500_000_000_000, "0.25")


class Change(Form):
    amount: SignedNumber


@pytest.mark.parametrize("minus", ["-", "\N{MINUS SIGN}", "\N{EN DASH} ", " - "])
def test_a_number_with_a_minus(minus: str) -> None:
    form = bind(Change, {"amount": f"{minus}1.234,5"}, COMMA)
    assert form.value is not None
    assert str(form.value.amount) == "-1234.5"
    for wrong in ("-", "--5", "-+5", "5-"):
        assert set(bind(Change, {"amount": wrong}).errors) == {"amount"}


@pytest.mark.parametrize(
    ("size", "unit", "said"),
    [
        ("1.000", "TB", "1.000 can be read as 1000 or as 1: write 1000 or 1"),
        ("1,000", "TB", "1,000 can be read as 1 or as 1000: write 1 or 1000"),
        ("1,5,0", "TB", "1,5,0 is not a number: write at most one separator, before the decimals, such as 1500 or 1,5"),
        ("1,5", "B", "1,5 B is not a whole number of bytes: write fewer decimals"),
        ("1,0000000000001", "TB", "1,0000000000001 TB is not a whole number of bytes: write fewer decimals"),
        ("9223373", "TB", f"must be at most 9.22 EB ({MAX_CAPACITY} bytes)"),
        ("9" * 59, "PB", f"must be at most 9.22 EB ({MAX_CAPACITY} bytes)"),
        ("9" * 1000, "TB", "must have at most 200 characters"),
        (" " * 1_000_000 + "x", "TB", "must have at most 200 characters"),
        ("5 TB", "TB", "must be the number alone: choose its unit beside it"),
        ("5GB", "TB", "must be the number alone: choose its unit beside it"),
        ("5", "", "must have a unit: B, KB, MB, GB, TB or PB"),
        ("5", "TiB", "must be a number and nothing else, such as 1,5"),
        ("-5", "TB", "must be 0 or more: remove the minus sign"),
        ("", "TB", "is required"),
        ("  ", "TB", "is required"),
    ],
)
def test_a_refusal_says_what_to_write(size: str, unit: str, said: str) -> None:
    assert error_of(size, unit) == said


def test_the_largest_size_is_one() -> None:
    assert error_of(str(MAX_CAPACITY), "B") == ""
    assert error_of("9.223372036854775807", "EB") == ""
    assert error_of("9.223372036854775808", "EB") != ""


def test_what_stands_in_a_field_is_in_the_readers_format() -> None:
    assert typed_size("size", 2_500_000_000_000, COMMA) == {"size": "2,5", "size_unit": "TB"}
    assert typed_size("size", 0, COMMA) == {"size": "0", "size_unit": "TB"}
    assert size_in("size", typed_size("size", 1_250_000_000, COMMA), WITH_POINT) == 1_250_000_000


def test_a_field_without_a_number_has_no_value() -> None:
    assert size_in("size", {}, COMMA) is None
    assert size_in("size", {"size": "1.000", "size_unit": "TB"}, COMMA) is None
    assert number_in("weight", {}, COMMA) is None
    assert number_in("weight", {"weight": "much"}, COMMA) is None
