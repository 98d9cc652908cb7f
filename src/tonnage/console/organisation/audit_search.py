"""What of the record is asked for, as a page's address says it. Lenient: what cannot be read was not asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tonnage.access.audit import AuditFilter, AuditPosition
from tonnage.bigint import parse_bigint
from tonnage.web.list_state import LONGEST_SEARCH

_LONGEST = 60
"""Characters of the name of an action, or of an id."""

NEWEST = AuditPosition()
"""The first page."""
OLDEST = AuditPosition(is_newer=True)
"""The last page."""


@dataclass(frozen=True)
class AuditSearch:
    """The filter of the page, in the reader's words. What is None or empty does not matter."""

    search: str = ""
    """The name of a thing or of who did it, or the id of either."""
    action: str = ""
    first: date | None = None
    last: date | None = None
    actor: UUID | None = None
    subject: str = ""
    position: AuditPosition = NEWEST

    @property
    def is_filtered(self) -> bool:
        """Whether a filter excludes entries, on any page."""
        return self != AuditSearch(position=self.position)

    def url(self, **changes: Any) -> str:
        """The query string with changes; every other filter begins at the newest entry."""
        other = replace(self, **{"position": NEWEST, **changes})
        return f"?{urlencode(other.parameters)}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query as its parameters, without what does not matter."""
        said = {
            "q": self.search,
            "action": self.action,
            "from": self.first,
            "to": self.last,
            "actor": self.actor,
            "subject": self.subject,
            "before": None if self.position.is_newer else self.position.entry,
            "after": self.position.entry if self.position.is_newer else None,
            "page": "last" if self.position == OLDEST else None,
        }
        return {name: str(value) for name, value in said.items() if value}

    def filter(self, zone: tzinfo, about: tuple[str, ...] | None) -> AuditFilter:
        """For the query: days are those of the reader's time zone. `about`: what `search` was found to mean."""
        return AuditFilter(
            since=_midnight(self.first, zone),
            until=_midnight(self.last, zone, days=1),
            action=self.action,
            actor_id=self.actor,
            subject_id=self.subject,
            about=about,
        )


def read_search(query: Mapping[str, str]) -> AuditSearch:
    """Of a page's query."""
    return AuditSearch(
        search=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        action=_short(query.get("action", "")),
        first=_day(query.get("from", "")),
        last=_day(query.get("to", "")),
        actor=_uuid(query.get("actor", "")),
        subject=_short(query.get("subject", "")),
        position=_position(query),
    )


def _position(query: Mapping[str, str]) -> AuditPosition:
    for name, is_newer in (("before", False), ("after", True)):
        entry = parse_bigint(query.get(name, ""))
        if entry is not None:
            return AuditPosition(entry, is_newer)
    return OLDEST if query.get("page") == "last" else NEWEST


def _short(text: str) -> str:
    return text if text.isprintable() and len(text) <= _LONGEST else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _midnight(day: date | None, zone: tzinfo, days: int = 0) -> datetime | None:
    try:
        return datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC) if day else None
    except OverflowError:
        return None
