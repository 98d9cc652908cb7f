"""A statement that is taken back, and what of it can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from tonnage.billing.line import Extra
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.money import Money, total
from tonnage.statements.adjustment import TaxKind
from tonnage.statements.frozen import StoredStatement, kinds_of, own_lines, require_valid


@dataclass(frozen=True)
class Original:
    """A statement that is taken back, with what was taken back of it before."""

    statement: StoredStatement
    line_kinds: Sequence[TaxKind | None]
    """How each of its lines is taxed."""
    notes: Sequence[StoredStatement]
    """Its credit notes so far, in their order."""
    corrected: Money
    """What adjustments that correct its month charge more or less, without those that are in credit notes."""

    @property
    def net_left(self) -> Money:
        """What can be taken back. An adjustment that charges more is another statement's."""
        stored, nothing = self.statement, Money.zero(self.statement.currency)
        taken = total((Money(note.net, stored.currency) for note in self.notes), stored.currency)
        return max(Money(stored.net, stored.currency) + taken + min(self.corrected, nothing), nothing)

    @property
    def gross_left(self) -> Money:
        """With taxes, and without regard to adjustments."""
        currency = self.statement.currency
        taken = total((Money(note.gross, currency) for note in self.notes), currency)
        return Money(self.statement.gross, currency) + taken

    @cached_property
    def _taken(self) -> Mapping[int, Money]:
        """By the number of the line."""
        found: dict[int, Money] = {}
        for note in self.notes:
            for line in note.lines:
                if line.credited_line is not None:
                    before = found.get(line.credited_line, Money.zero(self.statement.currency))
                    found[line.credited_line] = before + line.amount
        return found

    def left(self, number: int) -> Money:
        """Of a line, with its sign."""
        whole, taken = self.statement.lines[number - 1].amount, self._taken.get(number)
        return whole if taken is None else whole + taken

    def base_left(self, kind: TaxKind) -> Money:
        """Of the sum that has a tax, with its sign."""
        currency = self.statement.currency
        bases = [base for one in (self.statement, *self.notes) for found, base in _bases(one) if found == kind]
        return total(bases, currency)

    def correction_to(self, net: Money) -> Money:
        """What the next adjustment has to charge more or less, if the lines of the month are worth `net` now. What
        credit notes have taken back of them is not taken off a second time."""
        currency, nothing = self.statement.currency, Money.zero(self.statement.currency)
        own = total((line.amount for line in own_lines(self.statement)), currency)
        credited, noted = nothing, nothing
        for line in (line for note in self.notes for line in note.lines):
            if line.credited_line is None:
                noted += line.amount
            elif self.statement.lines[line.credited_line - 1].product is not Extra.ADJUSTMENT:
                credited += line.amount
        return max(net, min(-credited, own), nothing) - own - (self.corrected + noted)

    def require_creditable(self) -> None:
        """Conflict: it is void, or a credit note itself."""
        require_valid(self.statement)
        if self.statement.original_id is not None:
            raise Conflict(
                "{number} is a credit note. To charge its amount again, create an adjustment.",
                ConflictCode.STATEMENT_STATE,
                number=str(self.statement.number),
            )

    def require_voidable(self) -> None:
        """Conflict: the same; or it is paid, taken back in part, or adjustments correct its month, which a statement in
        its place would have a second time."""
        self.require_creditable()
        number = str(self.statement.number)
        if self.statement.paid_on is not None:
            raise Conflict(
                "Statement {number} was paid on {day}, and cannot be void. Take it back by a credit note.",
                ConflictCode.STATEMENT_PAID,
                number=number,
                day=self.statement.paid_on.isoformat(),
            )
        if self.statement.credited:
            raise Conflict(
                "Statement {number} has credit notes, and cannot be void. Take back what is left by another one.",
                ConflictCode.STATEMENT_STATE,
                number=number,
            )
        if self.corrected:
            raise Conflict(
                "Statement {number} cannot be void: an adjustment corrects its month. Take it back by a credit note.",
                ConflictCode.STATEMENT_STATE,
                number=number,
            )


def _bases(statement: StoredStatement) -> list[tuple[TaxKind, Money]]:
    bases = [Money(Decimal(tax["base"]), statement.currency) for tax in statement.copied["taxes"]]
    return list(zip(kinds_of(statement), bases, strict=True))
