import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.units import MAX_CAPACITY, format_size, in_bytes, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5TB", 5 * 10**12),
        ("250MB", 250 * 10**6),
        ("100000000000000B", 10**14),
        ("1.5 TB", 1_500_000_000_000),
        ("5t", 5 * 10**12),
        ("0.0", 0),
        ("2.5 GB", 2_500_000_000),
        (" 1kb ", 1000),
        ("0", 0),
        ("9223372036854775807B", MAX_CAPACITY),
        ("9.223372036854775807EB", MAX_CAPACITY),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "TB", "-1", "+1", "1.5B", "1e3", "5TiB", "5 T B", "9223372036854775808B", "١", "9" * 5000, "٥TB"]
)
def test_invalid_sizes(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|bytes|largest"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("5", "5TB or 5000000000000B"),
        ("1.5", "1.5TB or 1500000000000B"),
        ("90000000000000", "90000000000000B for bytes"),
    ],
)
def test_a_size_without_its_unit_is_refused_with_what_it_can_mean(text: str, instead: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"'{text}' has no unit; write {instead}")):
        parse_size(text)


@pytest.mark.parametrize("text", ["1,5TB", "1,5 TB", "1,000GB", "1.000,5 TB", "1,5"])
def test_a_size_with_a_comma_is_refused_with_the_syntax(text: str) -> None:
    with pytest.raises(ValueError, match=r"has a comma; write 1\.5TB"):
        parse_size(text)


def test_no_digit_of_a_size_is_rounded_away() -> None:
    """A fraction of a byte beyond the 28 digits of a usual decimal context."""
    with pytest.raises(ValueError, match="not a whole number of bytes"):
        parse_size(f"1.{'0' * 40}1TB")


def test_a_number_that_fills_a_whole_request_is_no_size() -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(f"{'9' * 1_000_000} TB")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1999, "1.99 KB"),
        (10**13, "10 TB"),
        (53 * 10**12, "53 TB"),
        (MAX_CAPACITY, "9.22 EB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.integers(0, MAX_CAPACITY))
def test_a_size_for_people_never_promises_more(size: int) -> None:
    assert 0 <= size - parse_size(format_size(size)) <= size / 100


def test_sentences_say_the_exact_number_too() -> None:
    assert in_bytes(47 * 10**12) == "47 TB (47000000000000 bytes)"
    assert [in_bytes(size) for size in (0, 1, 999)] == ["0 bytes", "1 byte", "999 bytes"]
