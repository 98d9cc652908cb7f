"""A statement as it is stored, and its verification from what is stored with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from tonnage.billing.line import Extra, Line, SubjectId
from tonnage.billing.month import BuyerMonth
from tonnage.billing.month_record import length_prefixed, read_buyer, read_subject
from tonnage.billing.rating import Rating
from tonnage.billing_profiles.tax import TaxCategory, tax_document
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, FieldError, Invalid, Sentence
from tonnage.money import Money, total
from tonnage.price_books.assignment import Subject
from tonnage.printable_text import printable_text
from tonnage.statements.adjustment import Bases, TaxKind, gross, taxes
from tonnage.statements.statement import in_order, line_document
from tonnage.utc import day_of
from tonnage.workings.basis import short_basis

STATEMENT, CREDIT_NOTE = "statement", "credit_note"


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
    """As `parties.party.document_of` makes it."""
    number: str | None
    frozen_at: datetime | None
    due_on: date | None
    paid_on: date | None
    payment_reference: str | None
    credited: Decimal
    """What credit notes have taken back of the gross."""
    voided_at: datetime | None
    void_reason: str | None
    original_id: UUID | None
    """Of a credit note: the statement that it takes back; with that one's number, and why."""
    original_number: str | None
    reason: str | None
    issued_at: datetime | None
    """When it was mailed to its buyer."""
    mail_refused: str | None
    """Why it could not be mailed when that was last tried."""
    lines: Sequence[Line]
    names: Sequence[str]
    """Of the subjects of the lines, one for each."""
    rated: BuyerMonth | None = None
    """What it was computed from, without the use: for the basis of its discount and minimums. None: it has none of
    these, or only its amounts are asked for."""

    def state(self, today: date) -> str:
        """`frozen`, `issued` when it was mailed, `overdue` after the day on which it was due, `paid`, `credited` when
        credit notes have taken back all of it, or `void`: as in lists.py."""
        if self.voided_at is not None:
            return "void"
        if self.paid_on is not None:
            return "paid"
        if self.credited and self.credited == self.gross:
            return "credited"
        if self.due_on is not None and self.due_on < today:
            return "overdue"
        return "issued" if self.issued_at is not None else "frozen"

    @property
    def kind(self) -> str:
        """STATEMENT or CREDIT_NOTE."""
        return CREDIT_NOTE if self.original_id else STATEMENT

    @property
    def owed(self) -> Money:
        """The gross, less what credit notes have taken back of it."""
        return Money(self.gross - self.credited, self.currency)

    def line(self, number: int) -> dict[str, Any]:
        """A line as JSON, by its number."""
        line = self.lines[number - 1]
        basis = short_basis(line, self.lines, self.rated) if self.rated else None
        return {"no": number, **line_document(line, self.first, self.names[number - 1], basis)}

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
            "kind": self.kind,
            "document": self.copied["document"],
            "original": self.original_id and str(self.original_id),
            "originalNumber": self.original_number,
            "reason": self.reason,
            "frozenAt": self.frozen_at and _timestamp(self.frozen_at),
            "issuedAt": self.issued_at and _timestamp(self.issued_at),
            "mailRefused": self.mail_refused,
            "dueOn": self.due_on and self.due_on.isoformat(),
            "paidOn": self.paid_on and self.paid_on.isoformat(),
            "paymentReference": self.payment_reference,
            "credited": f"{self.credited:f}" if self.credited else None,
            "voidedAt": self.voided_at and _timestamp(self.voided_at),
            "voidReason": self.void_reason,
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
        text = printable_text("reference", reference, wrong)
        if wrong:
            raise Invalid.with_fields(wrong)
        return cls(paid_on, text)


def require_valid(statement: StoredStatement) -> None:
    """Conflict: it is void."""
    if statement.voided_at is not None:
        raise Conflict(
            "Statement {number} is void since {day}: {reason}",
            ConflictCode.STATEMENT_STATE,
            number=str(statement.number),
            day=day_of(statement.voided_at).isoformat(),
            reason=str(statement.void_reason),
        )


def kinds_of(statement: StoredStatement) -> list[TaxKind]:
    """The taxes of a statement. The first one is that of the month itself."""
    return [_tax_kind(tax) for tax in statement.copied["taxes"]]


def line_kinds(statement: StoredStatement, tax_kinds: Mapping[UUID, TaxKind]) -> list[TaxKind | None]:
    """How each line is taxed. `tax_kinds` as for `Verification`."""
    kinds = kinds_of(statement)
    own = kinds[0] if kinds else None
    found = [own if line.adjustment_id is None else tax_kinds.get(line.adjustment_id, own) for line in statement.lines]
    return [kind if kind in kinds else own for kind in found]


def own_lines(statement: StoredStatement) -> list[Line]:
    """Those that are rated from its inputs: without adjustments, which come last."""
    return [line for line in statement.lines if line.product is not Extra.ADJUSTMENT]


def own_lines_document(statement: StoredStatement) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [statement.line(number) for number in range(1, len(own_lines(statement)) + 1)]


class Verification:
    """Computes a statement again from its stored inputs, which are added in their order.

    `tax_kinds`: of its adjustments that are taxed otherwise than what is charged for the month itself.
    """

    def __init__(self, statement: StoredStatement, buyer: bytes, tax_kinds: Mapping[UUID, TaxKind]) -> None:
        self._statement = statement
        self._tax_kinds = tax_kinds
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
        computed, rated = in_order(self._rating.lines(), names), own_lines(stored)
        for no, (line, again) in enumerate(zip(rated, computed, strict=False), 1):
            if line != again:
                return f"{self._name}, line {no}: {line.amount.amount:f} is stored, {again.amount.amount:f} is right"
        if len(computed) != len(rated):
            return f"{self._name}: {len(rated)} lines are stored, {len(computed)} are right"
        return self._sums()

    def _sums(self) -> str | None:
        stored = self._statement
        net = total((line.amount for line in stored.lines), stored.currency)
        if net.amount != stored.net:
            return f"{self._name}: the sum {stored.net:f} is stored, {net.amount:f} is right"
        bases = self._bases()
        decided = taxes(bases)
        right = [tax_document(one) for one in decided]
        if (stored_taxes := stored.copied["taxes"]) != right:
            return f"{self._name}: {_tax_texts(stored_taxes)} is stored, {_tax_texts(right)} is right"
        whole = gross(bases, decided, stored.currency).amount
        if whole != stored.gross:
            return f"{self._name}: the total {stored.gross:f} is stored, {whole:f} is right"
        return None

    def _bases(self) -> Bases:
        """What is taxed together."""
        stored = self._statement
        bases = {kind: Money.zero(stored.currency) for kind in kinds_of(stored) or [None]}
        for line, kind in zip(stored.lines, line_kinds(stored, self._tax_kinds), strict=True):
            bases[kind] += line.amount
        return bases

    @property
    def _name(self) -> str:
        return self._statement.number or str(self._statement.id)


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _tax_texts(taxes: Sequence[Mapping[str, str]]) -> str:
    return " and ".join(f"the tax {tax['amount']} on {tax['base']}" for tax in taxes) or "no tax"


def _tax_kind(tax: Mapping[str, str]) -> TaxKind:
    return TaxKind(TaxCategory(tax["category"]), Decimal(tax["rate"]))
