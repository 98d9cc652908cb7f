"""The events of caps of overdraft: what their audit entries are called."""

from tonnage.access.event import EVERY_KIND, Event

EVENTS = (
    Event(
        "account.set-overdraft-cap",
        "Capped overdraft of storage account",
        EVERY_KIND,
        type="account.overdraft_cap_changed",
    ),
    Event("partner.set-overdraft-cap", "Capped overdraft of partner", EVERY_KIND, type="partner.overdraft_cap_changed"),
)
