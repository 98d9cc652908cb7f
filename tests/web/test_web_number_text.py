"""Numbers as people type them: one value for every reader, or a refusal."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tonnage.web.number_text import WITH_POINT, NumberFormat, parse_number, written

COMMA = NumberFormat(",")
INDIAN = NumberFormat(".", has_pairs=True)
FORMATS = (WITH_POINT, COMMA, INDIAN, NumberFormat(",", has_pairs=True))

CLEAR = {
    "0": "0",
    "007": "7",
    " 5 ": "5",
    "1000": "1000",
    "1,5": "1.5",
    "1.5": "1.5",
    ".5": "0.5",
    ",25": "0.25",
    "0.125": "0.125",
    "0,000": "0",
    "1.0000": "1",
    "1234.567": "1234.567",
    "1234,567": "1234.567",
    "1 000": "1000",
    "1 000,500": "1000.5",
    "1\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}000": "1000000",
    "12'345.5": "12345.5",
    "12\N{RIGHT SINGLE QUOTATION MARK}345": "12345",
    "1.000.000": "1000000",
    "1,000,000": "1000000",
    "1,000.5": "1000.5",
    "1.000,5": "1000.5",
    "1.000,000": "1000",
    "1'000.000": "1000",
    "١٫٥": "1.5",
    "١٬٠٠٠": "1000",
    "۱۲": "12",
    "१.५": "1.5",
    "１２": "12",
    "\N{RIGHT-TO-LEFT MARK}1.5\N{RIGHT-TO-LEFT MARK}": "1.5",
    "9999999999999999999999999999.99": "9999999999999999999999999999.99",
}

AMBIGUOUS = {
    "1.000": ("1", "1000"),
    "1,000": ("1", "1000"),
    "12.500": ("12.5", "12500"),
    "999,001": ("999.0010", "999001"),
    "1.125": ("1.1250", "1125"),
    "١.٠٠٠": ("1", "1000"),
}

REFUSED = {
    "-1": "minus sign",
    "\N{MINUS SIGN}1": "minus sign",
    "+1": "without a sign",
    "1e3": "without an exponent",
    "1,5E-3": "without an exponent",
    "1,5,0": "at most one separator",
    "1.5.0": "at most one separator",
    "1,00,00": "at most one separator",
    "1.000.00": "at most one separator",
    "1.000,5,5": "at most one separator",
    "1,000 000": "at most one separator",
    "1 00": "at most one separator",
    "0 125": "at most one separator",
    "5,": "at most one separator",
    "1٫000٫000": "at most one separator",
    "": "must be a number",
    ".": "must be a number",
    "NaN": "must be a number",
    "Infinity": "must be a number",
    "0x10": "must be a number",
    "1_000": "must be a number",
    "1.5 TB": "must be a number",
    "½": "must be a number",
    "一": "must be a number",
    "\N{SUPERSCRIPT TWO}": "digits 0 to 9",
    "\N{NKO DIGIT ONE}": "digits 0 to 9",
    "9" * 61: "at most 60",
}


@pytest.mark.parametrize("reader", FORMATS)
@pytest.mark.parametrize(("text", "value"), CLEAR.items())
def test_what_is_clear_has_one_value_for_every_reader(text: str, value: str, reader: NumberFormat) -> None:
    assert parse_number(text, reader) == Decimal(value)


@pytest.mark.parametrize(("text", "readings"), AMBIGUOUS.items())
def test_what_has_two_readings_is_refused_with_both(text: str, readings: tuple[str, str]) -> None:
    for reader in FORMATS:
        ours = [reading.replace(".", reader.decimal) for reading in readings]
        if reader.decimal not in text.replace("\N{ARABIC DECIMAL SEPARATOR}", "."):
            ours.reverse()
        with pytest.raises(ValueError, match=r"can be read as") as refusal:
            parse_number(text, reader)
        assert str(refusal.value) == "{} can be read as {} or as {}: write {} or {}".format(text, *ours, *ours)
        assert [parse_number(one, reader) for one in ours]


@pytest.mark.parametrize("reader", FORMATS)
@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_is_no_number_is_refused_with_what_to_write(text: str, said: str, reader: NumberFormat) -> None:
    with pytest.raises(ValueError, match=said):
        parse_number(text, reader)


@pytest.mark.parametrize(
    ("text", "value"), {"1,00,000": 100_000, "12,34,567.5": "1234567.5", "1,00,00,000": 10**7}.items()
)
def test_groups_of_two_are_read_where_they_are_written(text: str, value: object) -> None:
    assert parse_number(text, INDIAN) == Decimal(str(value))
    for other in (WITH_POINT, COMMA):
        with pytest.raises(ValueError, match="at most one separator"):
            parse_number(text, other)


def test_a_message_does_not_repeat_all_of_a_long_text_nor_what_cannot_be_printed() -> None:
    with pytest.raises(ValueError, match="is not a number") as refusal:
        parse_number("1," * 29, WITH_POINT)
    assert str(refusal.value).startswith("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1, is")
    with pytest.raises(ValueError, match=r"^1 5,0,0 is not"):
        parse_number("1\N{NO-BREAK SPACE}5,0,0", WITH_POINT)


@given(st.text("0123456789., '٫٬٥", max_size=12))
def test_no_reader_has_another_value(text: str) -> None:
    values: set[Decimal] = set()
    for reader in FORMATS:
        try:
            values.add(parse_number(text, reader))
        except ValueError:
            continue
    assert len(values) <= 1


@given(
    st.builds(Decimal.scaleb, st.integers(0, 10**18).map(Decimal), st.integers(-6, 0)),
    st.sampled_from(FORMATS),
    st.sampled_from(FORMATS),
)
@example(Decimal("1.125"), COMMA, WITH_POINT)
def test_what_is_written_reads_back_under_every_locale(
    value: Decimal, writer: NumberFormat, reader: NumberFormat
) -> None:
    assert parse_number(written(value, writer), reader) == value


def test_numbers_are_written_as_short_as_is_clear() -> None:
    for value, text in {"5": "5", "1.50": "1,5", "1.125": "1,1250", "0.125": "0,125", "1234.567": "1234,567"}.items():
        assert written(Decimal(value), COMMA) == text
    assert written(Decimal(10**13), COMMA) == "10000000000000"
    assert written(Decimal("1E+3"), WITH_POINT) == "1000"
