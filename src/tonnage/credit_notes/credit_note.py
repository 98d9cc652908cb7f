"""What a credit note takes back of a statement, and the tax of that.

The tax is computed on all that was taken back so far, less the taxes of the credit notes before: so the last note of a
statement that is taken back as a whole has what is left of the tax, to the last cent.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tonnage.billing.line import Extra, Line
from tonnage.billing.month import last_day_of
from tonnage.billing_profiles.tax import TaxDecision, tax_amount, tax_document
from tonnage.credit_notes.original import Original
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Sentence
from tonnage.money import Money, total
from tonnage.statements.adjustment import Adjustment, TaxKind
from tonnage.statements.frozen import StoredStatement, kinds_of


@dataclass(frozen=True)
class CreditNote:
    """A credit note before it has a number. All amounts have the sign that they have on paper: sums are below zero."""

    original: Original
    lines: Sequence[Line]
    taxes: Sequence[TaxDecision]

    @property
    def net(self) -> Money:
        """The sum of the lines."""
        return total((line.amount for line in self.lines), self.original.statement.currency)

    @property
    def gross(self) -> Money:
        """With taxes."""
        return total([self.net, *(tax.amount for tax in self.taxes)], self.original.statement.currency)

    @property
    def is_within(self) -> bool:
        """Whether it takes back something, and no more than is left."""
        is_too_high = self.original.gross_left < -self.gross or self.original.net_left < -self.net
        bases = [(self.original.base_left(TaxKind(tax.category, tax.rate)), tax.base) for tax in self.taxes]
        is_beyond = any(abs(base.amount) > abs(left.amount) or base.amount * left.amount > 0 for left, base in bases)
        return self.gross.amount < 0 and not is_too_high and not is_beyond

    @property
    def written(self) -> str:
        """What it is made from, as it is stored: JSON."""
        lines = [
            {
                "line": line.credited_line,
                "adjustment": str(line.adjustment_id or "") or None,
                "amount": f"{line.amount.amount:f}",
            }
            for line in self.lines
        ]
        return json.dumps({"original": str(self.original.statement.id), "lines": lines})

    @property
    def digest(self) -> str:
        """Of that: SHA-256, hexadecimal."""
        return sha256(self.written.encode()).hexdigest()

    def document(self) -> dict[str, object]:
        """What is copied into it: names and parties of the original, and its own taxes."""
        copied = self.original.statement.copied
        return {**copied, "taxes": [tax_document(one) for one in self.taxes], "taxWarning": None}


def credit_note(original: Original, amounts: Mapping[int, Money] | None) -> CreditNote:
    """Takes back these amounts by line, or all that is left. Conflict: there is less left."""
    stored = original.statement
    wanted = _all_left(original) if amounts is None else amounts
    for number, amount in wanted.items():
        left = original.left(number)
        if abs(left.amount) < abs(amount.amount):
            raise Conflict(
                "Of line {line} of {number} {left} is left to take back, and not {asked}.",
                ConflictCode.CREDIT_TOO_HIGH,
                line=str(number),
                number=str(stored.number),
                left=str(left),
                asked=str(amount),
            )
    lines = [_line(stored, number, -amount) for number, amount in sorted(wanted.items())]
    found = with_taxes(original, lines)
    if not found.is_within:
        raise _too_high(original, found)
    return found


def _too_high(original: Original, note: CreditNote) -> Conflict:
    number = str(original.statement.number)
    if not note.lines or note.gross.amount >= 0:
        message = Sentence(
            "Nothing would be taken back of {number}: a credit note has a sum above zero.", number=number
        )
        return Conflict(message, ConflictCode.CREDIT_TOO_HIGH)
    return Conflict(
        "Of {number} {left} is left to take back before taxes, {gross} with them, and of no tax more than it has; not "
        "{asked}.",
        ConflictCode.CREDIT_TOO_HIGH,
        number=number,
        left=str(original.net_left),
        gross=str(original.gross_left),
        asked=str(-note.net),
    )


def _all_left(original: Original) -> dict[int, Money]:
    """What adjustments charge less already is left out of the last lines."""
    left = {number: original.left(number) for number in range(1, len(original.statement.lines) + 1)}
    beyond = total(left.values(), original.statement.currency) - original.net_left
    for number in reversed(left):
        less = min(beyond, max(left[number], Money.zero(beyond.currency)))
        if less.amount > 0:
            left[number] -= less
            beyond -= less
    return {number: amount for number, amount in left.items() if amount}


def _line(stored: StoredStatement, number: int, amount: Money) -> Line:
    """A line that takes one back. What an adjustment has charged less remains for the next statement; what it has
    charged more is waived."""
    taken = stored.lines[number - 1]
    adjustment = taken.adjustment_id if amount.amount > 0 else None
    return replace(taken, amount=amount, byte_days=0, unit_price=None, adjustment_id=adjustment, credited_line=number)


def credit_of(original: Original, adjustment: Adjustment) -> CreditNote | None:
    """Takes back what an adjustment charges less for the month of the statement, as far as that is left. None: nothing
    of it is."""
    stored, asked = original.statement, -adjustment.remaining
    original = replace(original, corrected=original.corrected + asked)
    own = next(iter(kinds_of(stored)), None)
    amount = min(asked, original.net_left, *([original.base_left(own)] if own else []))
    if amount.amount <= 0:
        return None
    line = Line(
        Extra.ADJUSTMENT, stored.buyer.id, None, stored.first, last_day_of(stored.first), -amount,
        adjustment_id=adjustment.id,
    )  # fmt: skip
    found = with_taxes(original, [line])
    return found if found.is_within else None


def with_taxes(original: Original, lines: Sequence[Line]) -> CreditNote:
    """A credit note with these lines."""
    stored, kinds = original.statement, kinds_of(original.statement)
    bases = {kind: Money.zero(stored.currency) for kind in kinds}
    for line in lines:
        kind = original.line_kinds[line.credited_line - 1] if line.credited_line else next(iter(kinds), None)
        if kind is not None:
            bases[kind] += line.amount
    taxes = [_tax(kind, base, original.notes) for kind, base in bases.items()]
    return CreditNote(original, lines, [tax for tax in taxes if tax.base or tax.amount])


def _tax(kind: TaxKind, base: Money, notes: Iterable[StoredStatement]) -> TaxDecision:
    whole, before = base, Money.zero(base.currency)
    for note in notes:
        for noted, tax in zip(kinds_of(note), note.copied["taxes"], strict=True):
            if noted == kind:
                whole += Money(Decimal(tax["base"]), base.currency)
                before += Money(Decimal(tax["amount"]), base.currency)
    return TaxDecision(kind.category, kind.rate, base, tax_amount(whole, kind.rate) - before)


def summary(stored: StoredStatement) -> dict[str, Any]:
    """A credit note as JSON, without its lines and parties: those are in the statement that it is."""
    return {
        "id": str(stored.id),
        "number": stored.number,
        "original": str(stored.original_id),
        "originalNumber": stored.original_number,
        "month": f"{stored.first:%Y-%m}",
        "currency": stored.currency,
        "net": f"{stored.net:f}",
        "gross": f"{stored.gross:f}",
        "reason": stored.reason,
    }


def difference(original: Original, stored: StoredStatement, digest: str) -> str | None:
    """How a credit note differs from what follows from its lines, after those in `original`; None: it does not."""
    right = with_taxes(replace(original, corrected=Money.zero(stored.currency)), stored.lines)
    if right.digest != digest:
        return f"{stored.number}: the stored lines are not those that it was issued with"
    if right.net.amount != stored.net:
        return f"{stored.number}: the sum {stored.net:f} is stored, {right.net.amount:f} is right"
    taxes = [tax_document(one) for one in right.taxes]
    if taxes != stored.copied["taxes"]:
        return f"{stored.number}: {stored.copied['taxes']} is stored as taxes, {taxes} is right"
    if right.gross.amount != stored.gross:
        return f"{stored.number}: the total {stored.gross:f} is stored, {right.gross.amount:f} is right"
    return None if right.is_within else f"{stored.number}: takes back more than {original.statement.number} has"
