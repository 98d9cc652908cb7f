"""The events of all features as the audit log shows them: their labels, and the choices of its filter."""

from collections.abc import Mapping

from tonnage.access.actor import Kind
from tonnage.access.event import Event
from tonnage.contact_mails.events import EVENTS as CONTACT_MAILS
from tonnage.events.registry import EVERY_EVENT
from tonnage.notifications.events import EVENTS as NOTIFICATIONS
from tonnage.webhooks.events import EVENTS as WEBHOOKS
from tonnage.wording.catalogue import N_

NOUNS: Mapping[str, str] = {
    "distributor": N_("Distributors"),
    "contract": N_("Contracts"),
    "partner": N_("Partners"),
    "account": N_("Storage accounts"),
    "member": N_("Members"),
    "organisation": N_("Organisation"),
    "key": N_("API keys"),
    "webhook": N_("Webhooks"),
    "region": N_("Regions"),
    "installation": N_("Database"),
    "job": N_("Jobs"),
    "usage": N_("Usage"),
    "prices": N_("Prices"),
    "statements": N_("Statements"),
    "sandbox": N_("Sandbox"),
}
"""The headings of the filter's choices, in their order."""

_ALL: tuple[Event, ...] = (*EVERY_EVENT, *CONTACT_MAILS, *NOTIFICATIONS, *WEBHOOKS)
"""What reads the feed of events declares its own beside it."""

ACTION_LABELS: Mapping[str, str] = {event.action: event.label for event in _ALL}
"""An action that is not here, of a newer program, is shown by its name."""


def choices(kind: Kind) -> list[tuple[str, str, list[Event]]]:
    """The events that the audit log of that kind of organisation can contain, by noun: [(noun, heading, events)]."""
    found = [
        (noun, heading, [event for event in _ALL if event.noun == noun and kind in event.audiences])
        for noun, heading in NOUNS.items()
    ]
    return [choice for choice in found if choice[2]]
