"""What of the record is asked for, as a page's address says it. Lenient: what cannot be read was not asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tonnage.access.audit import AuditFilter
from tonnage.web.list_state import LONGEST_SEARCH

_LONGEST = 60
"""Characters of the name of an action, or of an id."""


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
    before: int | None = None
    """The entry that the page before has ended with."""

    @property
    def is_filtered(self) -> bool:
        """Whether a filter excludes entries, on any page."""
        return self != AuditSearch(before=self.before)

    def url(self, **changes: Any) -> str:
        """The query string with changes; every other filter begins at the newest entry."""
        other = replace(self, **{"before": None, **changes})
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
            "before": self.before,
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
    before = query.get("before", "")
    return AuditSearch(
        search=query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        action=_short(query.get("action", "")),
        first=_day(query.get("from", "")),
        last=_day(query.get("to", "")),
        actor=_uuid(query.get("actor", "")),
        subject=_short(query.get("subject", "")),
        before=int(before) if before.isascii() and before.isdigit() and len(before) <= 18 else None,
    )


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
