"""The import file, line by line."""

import io
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.usage.sample import LONGEST_LINE, MOST_BAD_LINES, Sample, SampleFile, lines_of

GOOD = b"123456789012,2026-01-31T12:00:00Z,5\n"


def read(content: bytes) -> tuple[list[Sample], list[tuple[int, str]]]:
    file = SampleFile(lines_of(io.BytesIO(content)))
    samples = list(file)
    return samples, [(bad.line, bad.reason) for bad in file.bad]


def sample(line: int, *moment: int, size: int = 5) -> Sample:
    return Sample(line, 123456789012, datetime(*moment, tzinfo=UTC), size)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.strip(),
        b"account,time,bytes\n" + GOOD,
        b"\xef\xbb\xbf" + GOOD,
        b'\xef\xbb\xbf"Account" , Time,BYTES\r\n\r\n' + GOOD,
        b"\r\n \t \n" + GOOD.replace(b"\n", b"\r\n") + b"\r\n",
        b'"123456789012","2026-01-31T12:00:00Z","5"\n',
        b' 123456789012 , 2026-01-31t12:00:00.000z , "5" \n',
        b"123456789012,2026-01-31 13:30:00+01:30,000005\n",
    ],
)
def test_ways_to_write_the_same_sample(content: bytes) -> None:
    samples, bad = read(content)
    assert bad == []
    assert [s[1:] for s in samples] == [sample(1, 2026, 1, 31, 12)[1:]]


def test_days_instants_and_sizes() -> None:
    samples, bad = read(
        b"123456789012,2026-01-31,0\n"
        b"\n"
        b"123456789012,2026-02-01T00:30:00.123456789+02:00,9223372036854775807\n"
        b"123456789012,2024-02-29T23:59:59-23:59,5\n"
    )
    assert bad == []
    assert samples == [
        sample(1, 2026, 1, 31, size=0),
        sample(3, 2026, 1, 31, 22, 30, 0, 123456, size=2**63 - 1),
        sample(4, 2024, 3, 1, 23, 58, 59),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"12345678901,2026-01-31,5", "the account must be a number of 12 digits"),
        (b"a23456789012,2026-01-31,5", "the account must be a number of 12 digits"),
        ("１２３４５６７８９０１２,2026-01-31,5".encode(), "the account must be a number of 12 digits"),
        (b"123456789012,31.01.2026,5", "the time must be written 2026-01-31T12:00:00Z, or 2026-01-31 for midnight UTC"),
        (b"123456789012,2026-01-31T12:00Z,5", "the time must be written 2026-01-31T12:00:00Z, or 2026-01-31 for "),
        (b"123456789012,2026-W05-1,5", "the time must be written 2026-01-31T12:00:00Z, or 2026-01-31 for "),
        (b"123456789012,2026-01-31T12:00:00,5", "the time needs an offset from UTC, such as Z or +02:00"),
        (b"123456789012,2026-02-30,5", "the time is not a valid date and time"),
        (b"123456789012,2026-02-03T24:00:01Z,5", "the time is not a valid date and time"),
        (b"123456789012,2026-02-03T23:00:00+24:00,5", "the time is not a valid date and time"),
        (b"123456789012,0001-01-01T00:00:00+14:00,5", "the time is not a valid date and time"),
        (b"123456789012,0000-01-01,5", "the time is not a valid date and time"),
        (b"123456789012,2026-01-31,-5", "the bytes must be a whole number, 0 or more"),
        (b"123456789012,2026-01-31,5.0", "the bytes must be a whole number, 0 or more"),
        (b"123456789012,2026-01-31,1e9x", "the bytes must be a whole number, 0 or more"),
        (b"123456789012,2026-01-31,", "the bytes must be a whole number, 0 or more"),
        (b"123456789012,2026-01-31,9223372036854775808", "the bytes must not be more than 9223372036854775807"),
        (b"123456789012,2026-01-31," + b"9" * 99, "the bytes must not be more than 9223372036854775807"),
        (b"123456789012;2026-01-31;5", "the columns are separated by semicolons, as Excel does in many languages"),
        (b"account;time;bytes", "the columns are separated by semicolons, as Excel does in many languages"),
        (b"8,35E+11;2026-01-31;5", "the columns are separated by semicolons, as Excel does in many languages"),
        (b"123456789012\t2026-01-31\t5", "the columns are separated by tabs, as Excel does in many languages"),
        (b"sep=,", "sep=, is a line for Excel alone; delete it"),
        (b"sep=;\r", "sep=; is a line for Excel alone; delete it"),
        (b"123456789012 2026-01-31 5", "there must be three columns (account,time,bytes), but there is one"),
        (b"8.35E+11,2026-01-31,5", "the account 8.35E+11 was rounded by a spreadsheet, such as Excel"),
        (b"123456789012,2026-01-31,1.5e12", "the bytes 1.5e12 was rounded by a spreadsheet, such as Excel"),
        (b"123456789012,2026-01-31", "there must be three columns (account,time,bytes), but there are 2"),
        (b"123456789012,2026-01-31,5,", "there must be three columns (account,time,bytes), but there are 4"),
        (b'"123456789012,2026-01-31,5', "the account must be a number of 12 digits"),
        (b"123456789012,2026-01-31,5\0", "the line contains a NUL byte; save the file as UTF-8 text"),
        (b"123456789012,2026-01-31,5\xff", "the line is not UTF-8 text"),
        (b"123456789012,2026-01-31,5" + b" " * LONGEST_LINE, f"the line is longer than {LONGEST_LINE} bytes"),
        (b"account,time,bytes", "the account must be a number of 12 digits"),
    ],
)
def test_wrong_lines(line: bytes, reason: str) -> None:
    samples, bad = read(GOOD + line + b"\n" + GOOD)
    assert [s.line for s in samples] == [1, 3]
    [(number, said)] = bad
    assert number == 2
    assert said.startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_recognised(encoding: str) -> None:
    mark = b"" if encoding == "utf-16" else b"\xfe\xff"
    samples, bad = read(mark + "account,time,bytes\r\n123456789012,2026-01-31,5\r\n".encode(encoding))
    assert samples == []
    reason = "the file is UTF-16, as Excel saves Unicode text; save it as CSV UTF-8 (comma delimited)"
    assert bad == [(1, reason)]


def test_a_first_line_for_excel_is_named() -> None:
    samples, bad = read(b"sep=,\r\naccount,time,bytes\r\n" + GOOD)
    assert bad == [(1, "sep=, is a line for Excel alone; delete it, and separate the columns with commas")]
    assert [s.line for s in samples] == [3]


def test_reading_ends_at_the_twentieth_bad_line() -> None:
    samples, bad = read(b"x\n" * 500 + GOOD)
    assert samples == []
    assert [line for line, _ in bad] == list(range(1, MOST_BAD_LINES + 1))


def test_a_file_without_line_ends_is_cut_not_kept() -> None:
    stream = io.BytesIO(GOOD + b"9" * 5_000_000 + b"\n" + GOOD)
    tracemalloc.start()
    lines = [len(line) for line in lines_of(stream)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == [len(GOOD), LONGEST_LINE + 1, len(GOOD)]
    assert peak < 100_000


def test_progress_is_reported_periodically_and_at_the_end() -> None:
    progress: list[int] = []
    assert sum(1 for _ in SampleFile([GOOD] * 25_001, progress.append)) == 25_001
    assert progress == [10_000, 20_000, 25_001]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_handled(content: bytes) -> None:
    for found in read(content)[0]:
        assert found.at.utcoffset() is not None
        assert 0 <= found.size < 2**63


@given(
    st.integers(0, 10**12 - 1),
    st.datetimes(timezones=st.just(UTC)),
    st.integers(0, 2**63 - 1),
)
def test_written_samples_are_read(account: int, at: datetime, size: int) -> None:
    samples, bad = read(f"{account:012},{at.isoformat()},{size}\r\n".encode())
    assert bad == []
    assert samples == [Sample(1, account, at, size)]
