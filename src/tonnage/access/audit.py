"""The audit log: the filter of a request, and the entries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


@dataclass(frozen=True)
class AuditFilter:
    """The filter for audit entries. A field that is None or empty does not filter."""

    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""
    action: str = ""
    """A prefix of the action: `partner` or `partner.create`."""
    actor_id: UUID | None = None
    """The id of a member or key."""
    subject_id: str = ""
    """The whole id of the subject."""
    about: tuple[str, ...] | None = None
    """Ids; the id of the subject, of the actor or of the request is one of them."""


class AuditPosition(NamedTuple):
    """Where a page of the log is: the entries older than one, or those newer than one. Without that entry's id: the
    newest ones of all, or the oldest ones.
    """

    entry: int | None = None
    is_newer: bool = False


@dataclass(frozen=True)
class AuditEntry:
    """An audited action. Names are the present ones; None if there is none any more, or if it must not be disclosed."""

    id: int
    at: datetime
    actor_kind: str
    """`member`, `key`, `cli` (the operator's command line) or `job`."""
    actor_id: UUID | None
    actor_name: str | None
    """A member's name, or its address if it has none; a key's description and first characters."""
    actor_organisation: str | None
    organisation_id: UUID
    """The organisation that the subject belongs to."""
    organisation: str | None
    action: str
    """`noun.verb`."""
    subject_id: str
    subject_name: str | None
    """The name of an organisation, member or key."""
    before: Any
    after: Any
    address: str | None
    """The client's, if it is still kept. None for what no request has done, or if it must not be disclosed."""
    request_id: str | None
