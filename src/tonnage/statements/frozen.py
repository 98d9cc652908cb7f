"""A statement as it is stored, and its verification from what is stored with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from tonnage.billing.line import Line, SubjectId
from tonnage.billing.month_record import length_prefixed, read_buyer, read_subject
from tonnage.billing.rating import Rating
from tonnage.billing_profiles.tax import tax_amount
from tonnage.errors import FieldError, Invalid, Sentence
from tonnage.money import Money
from tonnage.price_books.assignment import Subject
from tonnage.statements.statement import in_order, line_document
from tonnage.utc import day_of

_LONGEST_REFERENCE = 200


@dataclass(frozen=True)
class StoredStatement:
    """A statement with a number, or one that waits for it."""

    id: UUID
    seller_id: UUID
    buyer: Subject
    first: date
    """The first day of the month."""
    currency: str
    net: Decimal
    gross: Decimal
    copied: Mapping[str, Any]
    """As computed.py copies it."""
    number: str | None
    frozen_at: datetime | None
    due_on: date | None
    paid_on: date | None
    payment_reference: str | None
    lines: Sequence[Line]
    names: Sequence[str]
    """Of the subjects of the lines, one for each."""

    def state(self, today: date) -> str:
        """`frozen`, `overdue` after the day on which it was due, or `paid`: as in lists.py."""
        if self.paid_on is not None:
            return "paid"
        return "overdue" if self.due_on is not None and self.due_on < today else "frozen"

    def line(self, number: int) -> dict[str, Any]:
        """A line as JSON, by its number."""
        return {"no": number, **line_document(self.lines[number - 1], self.first, self.names[number - 1])}

    def document(self, today: date) -> dict[str, Any]:
        """As JSON; like that of a draft, with what only a frozen one has."""
        return {
            "id": str(self.id),
            "seller": str(self.seller_id),
            "sellerName": self.copied["sellerName"],
            "buyer": str(self.buyer.id),
            "buyerName": self.copied["buyerName"],
            "level": self.buyer.kind,
            "month": f"{self.first:%Y-%m}",
            "currency": self.currency,
            "state": self.state(today),
            "number": self.number,
            "document": self.copied["document"],
            "frozenAt": self.frozen_at and f"{self.frozen_at:%Y-%m-%dT%H:%M:%SZ}",
            "dueOn": self.due_on and self.due_on.isoformat(),
            "paidOn": self.paid_on and self.paid_on.isoformat(),
            "paymentReference": self.payment_reference,
            "parties": self.copied["parties"],
            "lines": [self.line(number) for number in range(1, len(self.lines) + 1)],
            "net": f"{self.net:f}",
            "taxes": self.copied["taxes"],
            "taxWarning": self.copied["taxWarning"],
            "gross": f"{self.gross:f}",
        }

    def paper(self, design: Mapping[str, Any]) -> dict[str, Any]:
        """What its document is made from. Its day is that of the freeze; payments do not change it."""
        frozen_on = day_of(self.frozen_at) if self.frozen_at else self.first
        return {
            **self.document(frozen_on),
            "kind": "statement",
            "frozenOn": frozen_on.isoformat(),
            "design": design,
        }


@dataclass(frozen=True)
class Payment:
    """That a statement was paid, as a person says."""

    paid_on: date
    reference: str
    """What the payment can be found by."""

    @classmethod
    def read(cls, paid_on: date, reference: str, today: date) -> "Payment":
        """Invalid: the day is still to come, or the reference is no text of 1 to 200 characters that can be printed."""
        wrong: list[FieldError] = []
        if paid_on > today:
            wrong.append(FieldError("paidOn", Sentence("must be {today} or earlier", today=today.isoformat())))
        text = reference.strip()
        if not 0 < len(text) <= _LONGEST_REFERENCE or not text.isprintable():
            message = Sentence("must have 1 to {most} characters that can be printed", most=_LONGEST_REFERENCE)
            wrong.append(FieldError("reference", message))
        if wrong:
            raise Invalid.with_fields(wrong)
        return cls(paid_on, text)


class Verification:
    """Computes a statement again from its stored inputs, which are added in their order."""

    def __init__(self, statement: StoredStatement, buyer: bytes) -> None:
        self._statement = statement
        self._buyer = read_buyer(buyer)
        self._rating = Rating(self._buyer)
        self._digest = sha256(length_prefixed(buyer))

    def add(self, subject: bytes) -> None:
        """The next subject, as it is stored."""
        self._digest.update(length_prefixed(subject))
        self._rating.add(read_subject(subject))

    def difference(self, stored_digest: str) -> str | None:
        """The first difference, for the operator; None: there is none."""
        stored = self._statement
        if self._digest.hexdigest() != stored_digest:
            return f"{self._name}: the stored inputs are not those that it was computed from"
        names: Mapping[SubjectId, str] = {
            line.subject_id: name for line, name in zip(stored.lines, stored.names, strict=True)
        }
        computed = in_order(self._rating.lines(), names)
        for no, (line, again) in enumerate(zip(stored.lines, computed, strict=False), 1):
            if line != again:
                return f"{self._name}, line {no}: {line.amount.amount:f} is stored, {again.amount.amount:f} is right"
        if len(computed) != len(stored.lines):
            return f"{self._name}: {len(stored.lines)} lines are stored, {len(computed)} are right"
        return self._sums()

    def _sums(self) -> str | None:
        stored = self._statement
        net = sum((line.amount.amount for line in stored.lines), Decimal(0))
        if net != stored.net:
            return f"{self._name}: the sum {stored.net:f} is stored, {net:f} is right"
        taxes = Decimal(0)
        for tax in stored.copied["taxes"]:
            amount = tax_amount(Money(net, stored.currency), Decimal(tax["rate"])).amount
            if Decimal(tax["amount"]) != amount or Decimal(tax["base"]) != net:
                return (
                    f"{self._name}: the tax {tax['amount']} on {tax['base']} is stored, {amount:f} on {net:f} is right"
                )
            taxes += amount
        if net + taxes != stored.gross:
            return f"{self._name}: the total {stored.gross:f} is stored, {net + taxes:f} is right"
        return None

    @property
    def _name(self) -> str:
        return self._statement.number or str(self._statement.id)
