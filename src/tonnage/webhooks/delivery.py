"""A delivery: one event on its way to one endpoint."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between the attempts: the first is at once."""

MOST_ATTEMPTS = len(_PAUSES) + 1
FAILS_FOR = timedelta(days=5)
"""How long nothing but failures is accepted from an endpoint."""
KEPT = timedelta(days=30)
GONE = 410
"""The status by which a receiver says that it wants no more events."""


class Disabled(StrEnum):
    """Why an endpoint gets nothing."""

    BY_PERSON = "by_person"
    GONE = "gone"
    """It has answered 410."""
    FAILING = "failing"
    """For five days nothing has succeeded."""


@dataclass(frozen=True)
class DeliveryAttempt:
    """The result of sending an event once."""

    at: datetime
    milliseconds: int
    status: int | None
    """None: there was no response."""
    detail: str
    """The first KB of the response, or why there was none."""

    @property
    def succeeded(self) -> bool:
        """Only 2xx: a redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class DueDelivery:
    """A delivery that is to be sent."""

    id: int
    event_id: UUID
    type: str
    created_at: datetime
    attempts: int
    """Before this one."""


def next_attempt(attempts: int, now: datetime, spread: float) -> datetime | None:
    """When an event is sent again after so many failures; None: never.

    `spread`: 0 to 1, so that the deliveries of an outage do not come back in one moment. Up to a fifth is added.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    return now + _PAUSES[attempts - 1] * (1 + spread / 5)
