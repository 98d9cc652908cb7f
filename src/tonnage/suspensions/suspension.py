"""The suspension of a partner: its storage accounts are suspended on their clusters, and its API keys can only read."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Cause(StrEnum):
    """Why a partner is suspended."""

    PERSON = "person"
    """It was suspended by a page, a key or a command; only a person resumes it."""
    OVERDUE = "overdue"
    """The rule of its distributor about overdue statements; it ends when all of them are settled."""


class PartnerSuspension(NamedTuple):
    """Whether a partner is suspended. If it is not, all but its name is None."""

    partner: str
    suspended_at: datetime | None
    cause: Cause | None
    reason: str | None
    statement_id: UUID | None
    """The overdue statement."""
