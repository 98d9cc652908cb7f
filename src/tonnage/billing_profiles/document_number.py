"""Numbers of documents: a seller's format, such as `INV-{year}-{number:05}`.

A format is read here, letter by letter. No template language of Python sees it: `{number.__class__}` would be one.
"""

import re
from dataclasses import dataclass

from tonnage.errors import Sentence

_PARTS = re.compile(
    r"\{number(?::0?(?P<width>[1-9]|1[0-2]))?\}|(?P<year>\{year\})|(?P<text>[A-Za-z0-9 _./\-]+)", re.ASCII
)
_LONGEST = 40


@dataclass(frozen=True)
class DocumentNumberFormat:
    """The parts of a format, in order: a text, or what stands for the year or the number."""

    text: str
    """As the seller wrote it."""
    has_year: bool
    """Then each year begins a series of its own; without it the series never begins again."""

    @classmethod
    def read(cls, text: str) -> "DocumentNumberFormat":
        """Raises ValueError: it is no format, or numbers made by it would not be unique."""
        parts = _split(text) if len(text) <= _LONGEST else []
        numbers = sum(part[0].startswith("{number") for part in parts)
        years = sum(part["year"] is not None for part in parts)
        if numbers != 1 or years > 1:
            raise ValueError(
                Sentence(
                    "must contain {number} or {number:05} once, {year} at most once, and else only letters, digits, "
                    "spaces and - _ . / in at most 40 characters"
                )
            )
        if re.search(r"\}\{|\}[0-9]|[0-9]\{", text, re.ASCII):
            raise ValueError(Sentence("must have a letter or a sign between the year, the number and other digits"))
        if text != text.strip():
            raise ValueError(Sentence("must not begin or end with a space"))
        return cls(text, years == 1)

    def written(self, year: int, number: int) -> str:
        """The number of a document."""
        return "".join(_written(part, year, number) for part in _split(self.text))


def number_format(text: str) -> str:
    """The text itself. Raises ValueError where it is no format."""
    return DocumentNumberFormat.read(text).text


def _split(text: str) -> list[re.Match[str]]:
    """Its parts; none, if anything in it is no part."""
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        part = _PARTS.match(text, at)
        if part is None:
            return []
        found.append(part)
        at = part.end()
    return found


def _written(part: re.Match[str], year: int, number: int) -> str:
    if part["text"] is not None:
        return part["text"]
    if part["year"] is not None:
        return f"{year:04}"
    return str(number).zfill(int(part["width"] or 0))
