"""The events of all features: what the audit log can contain, and which of it has a type in the feed."""

from collections.abc import Mapping

from tonnage.access.actor import Kind
from tonnage.access.event import Event
from tonnage.access_keys.events import EVENTS as ACCESS_KEYS
from tonnage.accounts.events import EVENTS as ACCOUNTS
from tonnage.alerts.events import EVENTS as ALERTS
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
from tonnage.overdraft_caps.events import EVENTS as OVERDRAFT_CAPS
from tonnage.overrides.events import EVENTS as OVERRIDES
from tonnage.partners.events import EVENTS as PARTNERS
from tonnage.personal_data.events import EVENTS as PERSONAL_DATA
from tonnage.price_books.events import EVENTS as PRICE_BOOKS
from tonnage.provisioning.events import EVENTS as PROVISIONING
from tonnage.regions.events import EVENTS as REGIONS
from tonnage.sandbox.events import EVENTS as SANDBOX
from tonnage.security_events.events import EVENTS as SECURITY_EVENTS
from tonnage.sessions.events import EVENTS as SESSIONS
from tonnage.statement_mails.events import EVENTS as STATEMENT_MAILS
from tonnage.statements.events import EVENTS as STATEMENTS
from tonnage.suspensions.events import EVENTS as SUSPENSIONS
from tonnage.usage.events import EVENTS as USAGE

EVERY_EVENT: tuple[Event, ...] = (
    *ORGANISATIONS,
    *CONTRACTS,
    *PARTNERS,
    *SUSPENSIONS,
    *ACCOUNTS,
    *ACCESS_KEYS,
    *ALERTS,
    *OVERRIDES,
    *OVERDRAFT_CAPS,
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
    *STATEMENT_MAILS,
    *CREDIT_NOTES,
    *NUMBERING,
    *MONTH_END,
    *SANDBOX,
)

TYPE_OF_ACTION: Mapping[str, str] = {event.action: event.type for event in EVERY_EVENT if event.type is not None}
"""The type of the audit actions that have one."""

PRIVATE_TYPES = frozenset(event.type for event in EVERY_EVENT if event.type is not None and event.is_private)
"""Those that only the organisation itself can see."""

STATEMENT_TYPES = frozenset(
    type_ for type_ in TYPE_OF_ACTION.values() if type_.partition(".")[0] in {"statement", "credit_note"}
)
"""Those whose subject is a statement, which a credit note is too."""


def types_for(kind: Kind) -> list[Event]:
    """The events with a type that an organisation of that kind can see, in order of type."""
    found = {event.type: event for event in EVERY_EVENT if event.type is not None and kind in event.audiences}
    return [event for _, event in sorted(found.items())]
