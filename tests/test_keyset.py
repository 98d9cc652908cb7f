"""Keys of rows as cursors, and what is not a cursor."""

import base64

import pytest

from tonnage.keyset import LONGEST_CURSOR, Key, Sort, bigint, by_name, float8, numeric, read_cursor, text, timestamptz
from tonnage.names import LONGEST_KEY

ID = "37b16474-b5a2-4734-b52c-f62de7d68106"
NAMED = (*by_name("o"), bigint("m.seq"))
LARGEST = str(2**63 - 1)


def cursor(*values: str | bytes) -> str:
    """Written by another program."""
    parts = [value if isinstance(value, bytes) else value.encode() for value in values]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ((bigint("p.seq"),), ("0",)),
        ((bigint("p.seq"), bigint("p.seq")), (LARGEST, str(-(2**63)))),
        ((numeric("p.used"),), ("9" * 40,)),
        ((numeric("p.price_cents"),), ("0.69000000",)),
        ((float8("p.used"),), ("-1.0",)),
        ((float8("p.used"),), ("1.8446744073709552e+19",)),
        ((text("m.email"),), ("",)),
        (NAMED, ("", "", ID, "7")),
        (NAMED, ("x" * LONGEST_KEY, "a.b\n\x01 ä🚢'\"\\%", ID, "7")),
        ((timestamptz("m.seen"),), ("infinity",)),
        ((timestamptz("m.seen"),), ("2026-03-15T12:00:00.000001+00:00",)),
    ],
)
def test_a_cursor_is_the_key(sort: Sort, key: Key) -> None:
    assert read_cursor(sort, cursor(*key)) == key


def test_the_longest_name_has_a_cursor() -> None:
    key = ("🚢" * LONGEST_KEY, "🚢" * 200, ID, LARGEST)
    assert read_cursor(NAMED, cursor(*key)) == key
    assert read_cursor(NAMED, cursor("🚢" * LONGEST_KEY * 2, *key[1:])) is None
    assert read_cursor((text("m.email"),), "YQ" * LONGEST_CURSOR) is None


@pytest.mark.parametrize("value", ["2026-03-15 12:00:00+00", "2026-03-15 13:00:00.0+01", "2026-03-15T12:00:00Z"])
def test_times_as_postgresql_writes_them(value: str) -> None:
    assert read_cursor((timestamptz("m.seen"),), cursor(value)) == ("2026-03-15T12:00:00+00:00",)


@pytest.mark.parametrize(
    ("sort", "values"),
    [
        ((bigint("p.seq"),), ("",)),
        ((bigint("p.seq"),), ("1", "2")),
        ((bigint("p.seq"), bigint("p.seq")), ("1",)),
        ((bigint("p.seq"),), (str(2**63),)),
        ((bigint("p.seq"),), ("9" * 1000,)),
        ((bigint("p.seq"),), ("\u0661",)),
        ((bigint("p.seq"),), ("1\n",)),
        ((bigint("p.seq"),), ("1 or true",)),
        ((numeric("p.used"),), ("NaN",)),
        ((numeric("p.used"),), ("1e131071",)),
        ((numeric("p.used"),), ("9" * 41,)),
        ((float8("p.used"),), ("inf",)),
        ((float8("p.used"),), ("nan",)),
        ((float8("p.used"),), ("1e999",)),
        ((text("m.email"),), ("a\0b",)),
        ((text("m.email"),), (b"\xff",)),
        ((text("m.email"),), (b"\xed\xa0\x80",)),
        ((timestamptz("m.seen"),), ("now",)),
        ((timestamptz("m.seen"),), ("epoch",)),
        ((timestamptz("m.seen"),), ("0001-01-01T00:00:00+23:59",)),
        ((timestamptz("m.seen"),), ("10000-01-01",)),
        (by_name("o"), ("a", "a", "1")),
        (by_name("s", bigint), ("a", "a", ID)),
    ],
)
def test_no_cursor_of_the_sort(sort: Sort, values: tuple[str | bytes, ...]) -> None:
    assert read_cursor(sort, cursor(*values)) is None


@pytest.mark.parametrize("value", ["", "!", ".", "MQ===", "M", "\u00e4", "MQ\n", "MQ,", "%4D%51"])
def test_no_base64(value: str) -> None:
    assert read_cursor((bigint("p.seq"),), value) is None
