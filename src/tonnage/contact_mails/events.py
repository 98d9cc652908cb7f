"""The events of mails to contacts: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event("organisation.set-contact-mails", "Changed mails to contacts of storage accounts", EVERY_KIND),
    Event("account.stop-contact-mails", "Contact of storage account stopped mails about alerts", EVERY_KIND),
)
