"""The inbox of a member: the events that it can be mailed about, whether it is or not."""

from tonnage.access.actor import Kind
from tonnage.notifications.notification_kind import kinds_for

MOST_UNREAD = 99
"""More are not counted."""


def inbox_types(kind: Kind) -> list[str]:
    """The types of the events in the inboxes of such an organisation."""
    return sorted(type_ for one in kinds_for(kind) for type_ in one.types)


def own_types(kind: Kind) -> list[str]:
    """Those of which only the organisation's own events are there, and not those of its partners."""
    return sorted(type_ for one in kinds_for(kind) if one.of_own for type_ in one.types)
