"""The events of all features, as the audit log shows them: their labels, and the choices of its filter."""

from collections.abc import Mapping

from tonnage.access.actor import Kind
from tonnage.access.event import Event
from tonnage.access_keys.events import EVENTS as ACCESS_KEYS
from tonnage.accounts.events import EVENTS as ACCOUNTS
from tonnage.api_keys.events import EVENTS as API_KEYS
from tonnage.authentication.events import EVENTS as AUTHENTICATION
from tonnage.billing_profiles.events import EVENTS as BILLING_PROFILES
from tonnage.blocks.events import EVENTS as BLOCKS
from tonnage.contracts.events import EVENTS as CONTRACTS
from tonnage.credit_notes.events import EVENTS as CREDIT_NOTES
from tonnage.devices.events import EVENTS as DEVICES
from tonnage.drift.events import EVENTS as DRIFT
from tonnage.epoch.events import EVENTS as EPOCH
from tonnage.jobs.events import EVENTS as JOBS
from tonnage.locks.events import EVENTS as LOCKS
from tonnage.members.events import EVENTS as MEMBERS
from tonnage.month_end.events import EVENTS as MONTH_END
from tonnage.numbering.events import EVENTS as NUMBERING
from tonnage.organisations.events import EVENTS as ORGANISATIONS
from tonnage.partners.events import EVENTS as PARTNERS
from tonnage.personal_data.events import EVENTS as PERSONAL_DATA
from tonnage.price_books.events import EVENTS as PRICE_BOOKS
from tonnage.provisioning.events import EVENTS as PROVISIONING
from tonnage.regions.events import EVENTS as REGIONS
from tonnage.sandbox.events import EVENTS as SANDBOX
from tonnage.security_events.events import EVENTS as SECURITY_EVENTS
from tonnage.sessions.events import EVENTS as SESSIONS
from tonnage.statements.events import EVENTS as STATEMENTS
from tonnage.usage.events import EVENTS as USAGE
from tonnage.wording.catalogue import N_

NOUNS: Mapping[str, str] = {
    "distributor": N_("Distributors"),
    "contract": N_("Contracts"),
    "partner": N_("Partners"),
    "account": N_("Storage accounts"),
    "member": N_("Members"),
    "organisation": N_("Organisation"),
    "key": N_("API keys"),
    "region": N_("Regions"),
    "installation": N_("Database"),
    "job": N_("Jobs"),
    "usage": N_("Usage"),
    "prices": N_("Prices"),
    "statements": N_("Statements"),
    "sandbox": N_("Sandbox"),
}
"""The headings of the filter's choices, in their order."""

_ALL: tuple[Event, ...] = (
    *ORGANISATIONS,
    *CONTRACTS,
    *PARTNERS,
    *ACCOUNTS,
    *ACCESS_KEYS,
    *PROVISIONING,
    *DRIFT,
    *MEMBERS,
    *AUTHENTICATION,
    *DEVICES,
    *BLOCKS,
    *SESSIONS,
    *SECURITY_EVENTS,
    *LOCKS,
    *PERSONAL_DATA,
    *API_KEYS,
    *BILLING_PROFILES,
    *REGIONS,
    *EPOCH,
    *JOBS,
    *USAGE,
    *PRICE_BOOKS,
    *STATEMENTS,
    *CREDIT_NOTES,
    *NUMBERING,
    *MONTH_END,
    *SANDBOX,
)

ACTION_LABELS: Mapping[str, str] = {event.action: event.label for event in _ALL}
"""An action that is not here, of a newer program, is shown by its name."""


def choices(kind: Kind) -> list[tuple[str, str, list[Event]]]:
    """The events that the audit log of that kind of organisation can contain, by noun: [(noun, heading, events)]."""
    found = [
        (noun, heading, [event for event in _ALL if event.noun == noun and kind in event.audiences])
        for noun, heading in NOUNS.items()
    ]
    return [choice for choice in found if choice[2]]
