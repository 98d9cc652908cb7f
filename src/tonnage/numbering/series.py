"""A series of document numbers, and how its last number is recorded outside of the database."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.storage.bucket import ObjectList

PREFIX = "numbers/"

_SERIES = re.compile(r"([0-9a-f-]{36})/([0-9]{4})/((?:[0-9a-f]{2})+)", re.ASCII)
_OBJECT = re.compile(rf"numbers/([0-9a-f-]{{36}})/({_SERIES.pattern})/00([0-9]{{18}})", re.ASCII)


@dataclass(frozen=True)
class Series:
    """The numbers of a seller in one format and, if the format has the year, of one year."""

    seller_id: UUID
    format: str
    year: int
    """0: the format has no year."""

    @property
    def key(self) -> str:
        """As it is recorded: letters, digits, `-` and `/`."""
        return f"{self.seller_id}/{self.year:04}/{self.format.encode().hex()}"

    @classmethod
    def of_key(cls, key: str) -> "Series | None":
        """None: it is no such key."""
        found = _SERIES.fullmatch(key)
        if found is None:
            return None
        try:
            text = bytes.fromhex(found[3]).decode("ascii")
            return cls(UUID(found[1]), DocumentNumberFormat.read(text).text, int(found[2]))
        except ValueError:
            return None

    def written(self, number: int) -> str:
        """A number, as it stands on a document."""
        return DocumentNumberFormat.read(self.format).written(self.year, number)


class Gap(NamedTuple):
    """Numbers that may have been issued, and that the database does not know."""

    series: Series
    first: int
    last: int

    @property
    def text(self) -> str:
        """The numbers, as they stand on documents."""
        first, last = self.series.written(self.first), self.series.written(self.last)
        return first if first == last else f"{first} to {last}"


class NotedGap(NamedTuple):
    """Numbers that are missing, and when that was noted: when the restored database was confirmed."""

    gap: Gap
    noted_at: datetime


def object_key(installation: UUID, series: Series, number: int) -> str:
    """The name of the object that records the last number. It is in the name, so nothing is ever overwritten."""
    return f"{PREFIX}{installation}/{series.key}/{number:020d}"


def superseded(listing: ObjectList, key: str) -> list[str]:
    """The objects of the same series with lower numbers."""
    series = key.rpartition("/")[0]
    return [one.key for one in listing.objects if one.key.rpartition("/")[0] == series and one.key < key]


def highest(listing: ObjectList, installation: UUID) -> dict[str, int]:
    """The last number of each series, by its key."""
    found: dict[str, int] = {}
    for one in listing.objects:
        match = _OBJECT.fullmatch(one.key)
        if match and match[1] == str(installation):
            found[match[2]] = max(found.get(match[2], 0), int(match[6]))
    return found


def joined(places: Iterable[Mapping[str, int]]) -> dict[Series, int]:
    """The last number of each series in any of the places. What cannot be read as a series is left out."""
    found: dict[Series, int] = {}
    for place in places:
        for key, number in place.items():
            if series := Series.of_key(key):
                found[series] = max(found.get(series, 0), number)
    return found
