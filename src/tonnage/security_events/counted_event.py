"""Events that anybody can cause without end: the audit log gets their number by hour, not each of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tonnage.access.actor import Actor, system_stamp
from tonnage.utc import hour_of

GRACE = timedelta(minutes=1)
"""After the end of an hour; requests that began in it count for it."""


class Counted(StrEnum):
    """The actions of their entries."""

    FAILED_PASSWORD = "member.fail-password"  # noqa: S105  the name of an event
    FAILED_CODE = "member.fail-code"
    FAILED_LOCKED = "member.fail-locked"
    REQUESTED_PASSWORD = "member.request-password"  # noqa: S105
    REQUESTED_LINK = "member.request-link"
    MEMBER_REFUSED = "member.refuse"
    KEY_REFUSED = "key.refuse"


@dataclass(frozen=True)
class CountedEvent:
    """Events that are counted together in the hour that begins then."""

    action: Counted
    subject_id: UUID
    """The member or key."""
    code: str
    """Why it was refused; else empty."""
    hour: datetime
    stamp: str
    """Of the actor. The entry has that of the last event."""
    organisation_id: UUID | None = None
    """The subject's; None: that of the member with this id, if there is one."""

    @classmethod
    def of_stranger(cls, action: Counted, member_id: UUID, now: datetime) -> "CountedEvent":
        """What anybody may have done, at a member's login or at an address that no member has."""
        return cls(action, member_id, "", hour_of(now), system_stamp())

    @classmethod
    def refusal(cls, actor: Actor, code: str, now: datetime) -> "CountedEvent | None":
        """A member or key was not allowed to do something. None for other actors."""
        actions = {"member": Counted.MEMBER_REFUSED, "key": Counted.KEY_REFUSED}
        action = actions.get(actor.via)
        if action is None or actor.via_id is None:
            return None
        return cls(action, actor.via_id, code, hour_of(now), actor.stamp, actor.organisation_id)
