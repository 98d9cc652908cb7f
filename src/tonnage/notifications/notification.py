"""A notification: what an event says to a member, in one line, and where to look."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from tonnage.access.actor import Kind, suspension_reason
from tonnage.attention.attention import rounded
from tonnage.errors import Sentence
from tonnage.events.event_feed import FeedEvent
from tonnage.money import Money

_SENTENCES: Mapping[str, str] = {
    "account.alert": Sentence("{name} uses {percent} % of its allocation: {used} of {capacity}"),
    "account.over_allocation": Sentence("{name} uses all of its allocation: {used} of {capacity}"),
    "partner.alert": Sentence("{name} uses {percent} % of its allocation: {used} of {capacity}"),
    "partner.over_allocation": Sentence("{name} uses all of its allocation: {used} of {capacity}"),
    "partner.suspended": Sentence("{name} is suspended: {reason}"),
    "partner.resumed": Sentence("{name} is no longer suspended"),
    "partner.suspension_warned": Sentence("{name} will be suspended on {day}: statement {number} is overdue"),
    "account.cap_alert": Sentence("{name} uses {percent} % of the cap of its overdraft: {used} of {capacity}"),
    "account.cap_reached": Sentence("{name} has reached the cap of its overdraft: new data is refused"),
    "partner.cap_alert": Sentence("{name} uses {percent} % of the cap of its overdraft: {used} of {capacity}"),
    "partner.cap_reached": Sentence("{name} has reached the cap of its overdraft: new data is refused"),
    "contract.alert": Sentence("{name} uses {percent} % of what it reserves: {used} of {capacity}"),
    "contract.over_reserved": Sentence("{name} uses all that it reserves: {used} of {capacity}"),
    "account.override_ending": Sentence("The override of {name} to {capacity} ends with {last_day}"),
    "partner.override_ending": Sentence("The override of {name} to {capacity} ends with {last_day}"),
    "account.deletion_scheduled": Sentence("{name} will be deleted on {day}"),
    "statement.received": Sentence("Statement {number} of {seller}: {gross}"),
    "credit_note.received": Sentence("Credit note {number} of {seller}: {gross}"),
    "key.expiring": Sentence("The API key {name} expires at {until}"),
    "key.expired": Sentence("The API key {name} has expired"),
    "region.failed": Sentence("The storage cluster of {name} cannot be used: {reason}"),
    "region.recovered": Sentence("The storage cluster of {name} works again"),
}


@dataclass(frozen=True)
class Notification:
    """An event as members read it."""

    event: FeedEvent
    names: Mapping[str, str]
    """The present names of subjects, by id."""

    @cached_property
    def data(self) -> dict[str, Any]:
        """Of the event."""
        return json.loads(self.event.body)["data"]

    @property
    def sentence(self) -> Sentence:
        """What it says."""
        data = self.data
        after: dict[str, Any] = data.get("after") or {}
        subject = str(data["subjectId"])
        values: dict[str, object] = {"name": self.names.get(subject, subject)}
        if "capacity" in after:
            values["capacity"] = rounded(Decimal(after["capacity"]))
        if "used" in after:
            used, capacity = Decimal(after["used"]), Decimal(after["capacity"])
            # An amount of money that is used up allows nothing more.
            percent = int(used * 100 / capacity) if capacity else after["level"]
            values |= {"percent": percent, "used": rounded(used)}
        if "until" in after:
            values["last_day"] = date.fromisoformat(after["until"])
        if "pendingDeletedAt" in after:
            values["day"] = datetime.fromisoformat(after["pendingDeletedAt"]).date()
        if "validUntil" in after:
            values["until"] = datetime.fromisoformat(after["validUntil"])
        if "reason" in after:
            # That of a suspension by the rule about overdue statements comes with its facts.
            facts = {"number": after["statement"], "dueOn": after["dueOn"]} if "dueOn" in after else None
            values["reason"] = suspension_reason(after["reason"], facts)
        if "day" in after:
            values |= {"day": date.fromisoformat(after["day"]), "number": after["statement"]}
        statement: dict[str, Any] = data.get("statement") or {}
        if statement:
            gross = Money(Decimal(statement["gross"]), statement["currency"])
            values |= {"number": statement["number"], "gross": gross, "seller": statement["sellerName"]}
        template = str(_SENTENCES[self.event.type])
        return Sentence(template, **{name: value for name, value in values.items() if f"{{{name}}}" in template})

    def path(self, audience: Kind) -> str:
        """The page of what it is about."""
        subject, noun = self.data["subjectId"], self.event.type.partition(".")[0]
        organisation = self.data["organisationId"]
        if noun in {"statement", "credit_note"}:
            return f"/statements/{subject}"
        if noun == "key":
            return "/keys"
        if noun == "region":
            return "/operator/regions"
        return page_of(audience, noun, subject, organisation)


def page_of(audience: Kind, noun: str, subject: str, organisation: str) -> str:
    """The page of a storage account, a partner or a contract, as that audience opens it."""
    if noun == "account":
        return {
            Kind.PARTNER: f"/partner/accounts/{subject}",
            Kind.DISTRIBUTOR: f"/distributor/partners/{organisation}/accounts/{subject}",
            Kind.OPERATOR: f"/operator/partners/{organisation}",
        }[audience]
    if noun == "partner":
        return "/partner/accounts" if audience is Kind.PARTNER else f"/{audience}/partners/{subject}"
    return f"/{audience}/contracts/{subject}"
