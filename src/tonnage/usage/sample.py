"""Samples: the bytes stored in an account at a moment, and the CSV file format for importing them."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import BinaryIO, NamedTuple

from tonnage.units import MAX_CAPACITY
from tonnage.utc import CLOCK_TOLERANCE, day_of

RETENTION_DAYS = 40
"""How long raw samples, hourly traffic and sampling runs are kept."""

MOST_BAD_LINES = 20
"""How many wrong lines are reported before the rest of a file is skipped."""

LONGEST_LINE = 400
"""Bytes. A valid line has under 80."""

PROGRESS_LINES = 10_000

_TOO_MANY = f"the bytes must not be more than {MAX_CAPACITY}"
_HEADER = ["account", "time", "bytes"]
_LINE = re.compile(rb'\s*("?)(\d{12})\1\s*,\s*("?)([^",]*)\3\s*,\s*("?)(\d{1,19})\5\s*')
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_BYTES = re.compile(r"\d+", re.ASCII)
_ROUNDED = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}(?P<clock>[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?P<offset>Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)


def oldest_kept(now: datetime, database_now: datetime) -> date | None:
    """The first of the days that are kept. None: the two clocks differ, so one of them is wrong, and nothing may be
    deleted.
    """
    if abs(now - database_now) > CLOCK_TOLERANCE:
        return None
    return min(day_of(now), day_of(database_now)) - timedelta(days=RETENTION_DAYS)


class Sample(NamedTuple):
    """`size` bytes were stored in an account at a moment, in `objects` objects with all their versions, if known.

    `line` is the position of the sample in its source.
    """

    line: int
    account_id: int
    at: datetime
    size: int
    objects: int | None = None


class BadLine(NamedTuple):
    """A line that cannot be accepted, and the reason: words that follow `line 7:`."""

    line: int
    reason: str


class SampleFile:
    """The samples of a CSV file `account,time,bytes`, read once, a line at a time.

    Account: 12 digits. Time: RFC 3339 with an offset or Z, or a date, which is its midnight UTC. Bytes: 0 to 2^63 - 1.
    UTF-8, with or without byte order mark, header and quotes; blank lines are skipped. Invalid lines are skipped and
    added to `bad`, and reading stops at MOST_BAD_LINES of them. `progress` is called with the number of lines read, now
    and then and at the end.
    """

    def __init__(self, lines: Iterable[bytes], progress: Callable[[int], None] | None = None) -> None:
        self._lines = lines
        self._progress = progress
        self.bad: list[BadLine] = []

    def __iter__(self) -> Iterator[Sample]:
        number = 0
        first = True
        for number, line in enumerate(self._lines, 1):
            if self._progress and number % PROGRESS_LINES == 0:
                self._progress(number)
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            if first and _is_header(text):
                first = False
                continue
            first = first and text.lower().startswith(b"sep=")
            try:
                yield _sample(number, text)
            except ValueError as error:
                self.bad.append(BadLine(number, str(error)))
                if len(self.bad) == MOST_BAD_LINES or text.startswith(_UTF_16):
                    break
        if self._progress:
            self._progress(number)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, each truncated to LONGEST_LINE bytes: a file without line ends must not fill the memory."""
    while line := file.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        yield line


def _sample(number: int, line: bytes) -> Sample:
    match = _LINE.fullmatch(line)
    if match is None or len(line) > LONGEST_LINE:
        raise ValueError(_what_is_wrong(line))
    size = int(match[6])
    if size > MAX_CAPACITY:
        raise ValueError(_TOO_MANY)
    # `_moment` accepts only ASCII digits and signs, so any bytes may be decoded.
    return Sample(number, int(match[2]), _moment(match[4].decode("utf-8", "replace").strip()), size)


def _moment(text: str) -> datetime:
    match = _TIME.fullmatch(text.upper())
    if match is None:
        raise ValueError("the time must be written 2026-01-31T12:00:00Z, or 2026-01-31 for midnight UTC")
    if match["clock"] and not match["offset"]:
        raise ValueError("the time needs an offset from UTC, such as Z or +02:00")
    try:
        moment = datetime.fromisoformat(match[0])
        return moment.astimezone(UTC) if match["clock"] else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("the time is not a valid date and time") from None


def _what_is_wrong(line: bytes) -> str:
    if len(line) > LONGEST_LINE:
        return f"the line is longer than {LONGEST_LINE} bytes"
    if line.startswith(_UTF_16):
        return "the file is UTF-16, as Excel saves Unicode text; save it as CSV UTF-8 (comma delimited)"
    if b"\0" in line:
        return "the line contains a NUL byte; save the file as UTF-8 text"
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "the line is not UTF-8 text"
    columns = _columns(text)
    if len(columns) != len(_HEADER):
        return _why_not_three(text.strip(), columns)
    return _which_is_wrong(*columns)


def _why_not_three(text: str, columns: list[str]) -> str:
    """Names the ways in which spreadsheets write other files than those with commas."""
    if text.lower().startswith("sep="):
        return f"{text} is a line for Excel alone; delete it, and separate the columns with commas"
    for sign, name in _SEPARATORS.items():
        if text.count(sign) == len(_HEADER) - 1:
            return f"the columns are separated by {name}, as Excel does in many languages; save the file with commas"
    found = "is one" if len(columns) == 1 else f"are {len(columns)}"
    return f"there must be three columns ({','.join(_HEADER)}), but there {found}"


def _which_is_wrong(account: str, time: str, size: str) -> str:
    for name, value in (("account", account), ("bytes", size)):
        if _ROUNDED.fullmatch(value):
            return (
                f"the {name} {value} was rounded by a spreadsheet, such as Excel; format the column as a number "
                "without decimals before you save the file"
            )
    if not _ACCOUNT.fullmatch(account):
        return "the account must be a number of 12 digits"
    if not _BYTES.fullmatch(size):
        return "the bytes must be a whole number, 0 or more"
    if len(size) > len(str(MAX_CAPACITY)):
        return _TOO_MANY
    _moment(time)
    return "the quotes do not match"


def _is_header(line: bytes) -> bool:
    return [column.lower() for column in _columns(line.decode("utf-8", "replace"))] == _HEADER


def _columns(text: str) -> list[str]:
    # No value contains a comma, a quote or a line break, so this is all of CSV that is needed.
    columns = [column.strip() for column in text.split(",")]
    return [column[1:-1] if len(column) > 1 and column[0] == column[-1] == '"' else column for column in columns]
