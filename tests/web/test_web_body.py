import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.errors import Malformed
from tonnage.web.body import parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_reads_what_json_can_say(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(st.binary())
def test_nothing_crashes_it(raw: bytes) -> None:
    with suppress(Malformed):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("5e12", 5 * 10**12),
        ("1000000000.0", 10**9),
        ("1E1", 10),
        ("10e-1", 1),
        ("-0.0", 0),
        ("-5.0", -5),
        ("9007199254740991.0", 2**53 - 1),
        ("9007199254740992.0", 2**53),
        ("0." + "0" * 1_000_000, 0),
    ],
)
def test_a_whole_number_with_a_point_or_an_exponent_is_one(raw: str, number: int) -> None:
    parsed = parse(raw.encode())
    assert (type(parsed), parsed) == (int, number)


@pytest.mark.parametrize(
    "raw",
    [
        *("1.5", "1e-400", "-1e-400", "0.1", "1.0000000000000000001", "9007199254740991.4"),
        # Rounded, these are 2^53, too; and a decimal does not have that exponent.
        *("9007199254740993.0", "9007199254740992.5", "9007199254740994.0", "1e300", "1e400", "0e" + "9" * 30),
    ],
)
def test_other_numbers_are_no_whole_numbers(raw: str) -> None:
    assert isinstance(parse(raw.encode()), float)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "The body is empty. Send a JSON object."),
        (b" \n", "The body is empty. Send a JSON object."),
        (b'{"a": 1,}', "The body is not valid JSON at line 1, column "),
        (b'{\n"a" 1}', "The body is not valid JSON at line 2, column 5: Expecting ':' delimiter."),
        (b"\xff", "The body is not valid JSON: the byte at position 0 is not UTF-8."),
        (b"\xef\xbb\xbf{}", "The body is not valid JSON at line 1, column 1"),
        ('{"a": 1}'.encode("utf-16"), "The body is not valid JSON: the byte at position 0 is not UTF-8."),
        (b'{"a": NaN}', "The body is not valid JSON: JSON has no NaN or Infinity."),
        (b'{"a": -Infinity}', "The body is not valid JSON: JSON has no NaN or Infinity."),
        (b'{"a": {"b": 1, "b": 1}}', "The body has the same name twice in one object. Send each name once."),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"a":' * 100_000, "The body is nested too deeply."),
        (b"1" * 10_000, "The body has a number with too many digits."),
        (b'"\0"', "The body is not valid JSON at line 1, column 2"),
    ],
)
def test_refuses(raw: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(raw)
    assert str(caught.value).startswith(sentence)
