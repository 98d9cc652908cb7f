"""A credit note as a person makes it: how much of which lines is taken back, and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tonnage.errors import FieldError, Invalid, Sentence
from tonnage.money import Money, digits, round_half_away
from tonnage.printable_text import printable_text
from tonnage.statements.frozen import StoredStatement

_AMOUNT = re.compile(r"-?\d{1,25}(?:\.\d{1,6})?", re.ASCII)


class LineAmount(NamedTuple):
    """How much of a line is taken back, as it was written."""

    number: int
    amount: str


@dataclass(frozen=True)
class NewCreditNote:
    """A credit note as a person makes it."""

    reason: str
    amounts: Mapping[int, Money] | None
    """By the number of the line, with the sign of the line. None: all that is left."""

    @classmethod
    def read(cls, lines: Sequence[LineAmount] | None, reason: str, of: StoredStatement) -> "NewCreditNote":
        """Invalid, for all fields that are wrong at once: no line, one that the statement has not, or one twice; an
        amount that is no decimal number with the sign of its line and the currency's decimal places; a reason that is
        no text of 1 to 200 characters that can be printed."""
        wrong: list[FieldError] = []
        amounts: dict[int, Money] = {}
        for place, line in enumerate(lines or ()):
            try:
                amounts[line.number] = _amount(line, of, amounts)
            except ValueError as error:
                wrong.append(FieldError(f"lines.{place}", error.args[0]))
        if lines is not None and not lines:
            wrong.append(FieldError("lines", Sentence("must have at least one line; without it, all is taken back")))
        text = printable_text("reason", reason, wrong)
        if wrong:
            raise Invalid.with_fields(wrong)
        return cls(text, None if lines is None else amounts)


def _amount(line: LineAmount, of: StoredStatement, before: Mapping[int, Money]) -> Money:
    if not 1 <= line.number <= len(of.lines):
        raise ValueError(Sentence("must be a line of the statement, 1 to {last}", last=len(of.lines)))
    if line.number in before:
        raise ValueError(Sentence("must name each line once"))
    whole, places = of.lines[line.number - 1].amount.amount, digits(of.currency)
    amount = Decimal(line.amount) if _AMOUNT.fullmatch(line.amount) else Decimal(0)
    if amount * whole <= 0 or amount != round_half_away(amount, places):
        raise ValueError(
            Sentence(
                "must be a decimal number with the sign of its line, which is {amount}, and with at most {digits} "
                "decimal places",
                amount=f"{whole:f}",
                digits=places,
            )
        )
    return Money(round_half_away(amount, places), of.currency)
