"""The events of contracts: what their audit entries are called."""

from tonnage.access.event import SELLERS, Event

EVENTS = (
    Event("contract.create", "Signed contract", SELLERS, type="contract.created"),
    Event("contract.amend", "Amended contract", SELLERS, type="contract.updated"),
)
