"""Timestamps in a body: RFC 3339, or a date for its midnight in UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2}))?", re.ASCII)


def parse_timestamp(text: str) -> datetime:
    """The timestamp in UTC. Raises ValueError: neither format, no such date, or not in the years 1 to 9999."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("write it as 2026-12-31T00:00:00Z or 2026-12-31")
    read = datetime.fromisoformat(text.upper())
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("the year must be between 1 and 9999") from None


def timestamp_text(moment: datetime) -> str:
    """A moment as responses have it: RFC 3339 in UTC, whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _timestamp(value: object) -> object:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            # Responses have whole seconds, and every accepted value must be one that can be sent back. Rounded up,
            # since a timestamp that is too early by a fraction must still be refused.
            read = parse_timestamp(value)
            return read.replace(microsecond=0) + timedelta(seconds=1) if read.microsecond else read
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a time, such as 2026-12-31T00:00:00Z or 2026-12-31")


Timestamp: TypeAlias = Annotated[
    datetime, BeforeValidator(_timestamp), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""RFC 3339 with an offset, or `YYYY-MM-DD`."""
