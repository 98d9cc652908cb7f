"""The events of contracts: what their audit entries are called."""

from tonnage.access.event import SELLERS, Event

EVENTS = (
    Event("contract.create", "Signed contract", SELLERS),
    Event("contract.amend", "Amended contract", SELLERS),
)
