"""The record of what was done, as it is asked for and shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted. What is None or empty does not matter."""

    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    action: str = ""
    """What the action begins with: `partner` or `partner.create`."""
    actor_id: UUID | None = None
    """A member's or key's."""
    subject_id: str = ""
    """The whole id of the thing."""
    about: tuple[str, ...] | None = None
    """Ids; that of the thing, or of who did it, is one of them."""


@dataclass(frozen=True)
class AuditEntry:
    """What somebody did. Names are those of the present; None where there is none any more, or none to be told."""

    id: int
    at: datetime
    actor_kind: str
    """`member`, `key`, `cli` (the operator's command line) or `job`."""
    actor_id: UUID | None
    actor_name: str | None
    """A member's name or else its address; a key's description and first characters."""
    actor_organisation: str | None
    organisation_id: UUID
    """Whose thing it is."""
    organisation: str | None
    action: str
    """`noun.verb`."""
    subject_id: str
    subject_name: str | None
    """Of an organisation, member or key."""
    before: Any
    after: Any
