"""The feed of events: what an organisation can see of the audit log's entries that have a type, oldest first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.errors import Invalid
from tonnage.events.registry import types_for

KEPT = timedelta(days=30)
MOST = 1_000
"""Events in a page."""


class FeedEvent(NamedTuple):
    """An event as it is sent: with the same id and body each time."""

    position: int
    """Its place in the feed of all organisations, which clients do not learn."""
    id: UUID
    type: str
    at: datetime
    body: bytes
    """JSON: `id`, `type`, `timestamp` and `data`; less than 20 KB."""


class FeedPage(NamedTuple):
    """Events in order."""

    events: list[FeedEvent]
    next: UUID | None
    """The event after which the next page begins: the last one that was looked at, of any type. None: there is none."""


@dataclass(frozen=True)
class FeedReader:
    """Whose feed it is: an organisation sees its own events, a distributor those of its partners too, the operator all,
    except what is private to others."""

    organisation_id: UUID
    kind: Kind

    @classmethod
    def of(cls, actor: Actor) -> "FeedReader":
        """The actor's organisation."""
        return cls(actor.organisation_id, actor.kind)

    def types(self, of: Collection[str] = ()) -> list[str]:
        """These types; for none all that it can see. Invalid: some that it cannot see, or that do not exist."""
        visible = {event.type for event in types_for(self.kind) if event.type is not None}
        if unknown := sorted(set(of) - visible):
            raise Invalid.field(
                "types",
                "there are no events of the type {type} for you; GET /ext/v1/event-types lists the types",
                type=unknown[0],
            )
        return sorted(set(of) or visible)


def first_kept(now: datetime) -> datetime:
    """The time of the oldest events that are kept."""
    return now - KEPT
