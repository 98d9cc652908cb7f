"""A draft of a statement; the lines of any, in the order in which people read them, and as JSON."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from tonnage.billing.buyer import Buyer, DraftId
from tonnage.billing.charges import Charges
from tonnage.billing.line import Extra, Line, SubjectId
from tonnage.billing.month import GB, Month, days_in, gb_months
from tonnage.errors import NotFound
from tonnage.money import round_half_away
from tonnage.names import name_key
from tonnage.parties.party import Party, Seller, document_of
from tonnage.price_books.version import Product
from tonnage.statements.adjustment import Totals
from tonnage.workings.basis import QUANTITY_DIGITS, plain, short_basis
from tonnage.workings.working import WorkingDay

_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_ORDER = (*Product, *Extra)
_AT_THE_END = frozenset(Extra)


@dataclass(frozen=True)
class Draft:
    """A statement that is computed whenever it is looked at."""

    buyer: Buyer
    charges: Charges
    lines: Sequence[Line]
    """Those of the charges and adjustments, as people read them."""
    names: Mapping[SubjectId, str]
    """Of the subjects of the lines."""
    seller: Seller
    party: Party
    totals: Totals

    @property
    def month(self) -> Month:
        """Through its last day, or today."""
        return self.charges.buyer.month

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return self.charges.buyer.currency

    def line(self, number: int) -> dict[str, Any]:
        """A line as JSON, by its number."""
        line = self.lines[number - 1]
        basis = short_basis(line, self.lines, self.charges.buyer)
        return {"no": number, **line_document(line, self.month.first, self.names.get(line.subject_id, ""), basis)}

    def document(self) -> dict[str, Any]:
        """As JSON: amounts in the major unit and quantities as decimal texts, prices in hundredths."""
        buyer, totals = self.buyer, self.totals
        return {
            "id": str(DraftId(buyer.id, self.month.first)),
            "seller": str(buyer.seller_id),
            "buyer": str(buyer.id),
            "level": buyer.kind,
            "month": str(self.month),
            "currency": self.currency,
            "state": "draft",
            "number": None,
            "blocked": totals.blocked,
            "through": self.month.last.isoformat(),
            "lines": [self.line(number) for number in range(1, len(self.lines) + 1)],
            "net": f"{totals.net.amount:f}",
            **document_of(self.seller, self.party, totals.taxes, totals.warning),
            "gross": f"{totals.gross.amount:f}",
        }


def line_document(line: Line, month: date, subject_name: str, basis: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A line as JSON, without its number. `basis`: as `short_basis` has them."""
    has_quantity = line.unit_price is not None
    return {
        "product": line.product,
        "subject": str(line.subject_id),
        "subjectName": subject_name,
        "contract": line.contract_id and str(line.contract_id),
        "quantityGbMonths": plain(quantity(line, month)) if has_quantity else None,
        "byteDays": line.byte_days if has_quantity else None,
        "unitPrice": plain(line.unit_price) if line.unit_price is not None else None,
        "amount": f"{line.amount.amount:f}",
        "from": line.first.isoformat(),
        "to": line.last.isoformat(),
        "adjustment": line.adjustment_id and str(line.adjustment_id),
        "reason": line.reason,
        "creditedLine": line.credited_line,
        "basis": basis,
    }


def quantity(line: Line, month: date) -> Decimal:
    """GB-months, of egress GB, rounded to QUANTITY_DIGITS."""
    is_egress = line.product is Product.EGRESS
    exact = Fraction(line.byte_days, GB) if is_egress else gb_months(line.byte_days, month)
    return round_half_away(exact, QUANTITY_DIGITS)


def working_document(
    line: Mapping[str, Any], currency: str, month: date, days: Sequence[WorkingDay], basis: Mapping[str, Any]
) -> dict[str, Any]:
    """The working of a line as JSON: the line, as it is in its statement, its days in bytes, and what else it is
    computed from, as `basis_of` has it."""
    return {
        "line": line,
        "currency": currency,
        "daysOfMonth": days_in(month),
        "days": [
            {
                "day": one.day.isoformat(),
                "used": one.used,
                "capacity": one.capacity,
                "quantity": one.quantity,
            }
            for one in days
        ],
        **basis,
    }


def line_number(text: str) -> int:
    """The number in a path. NotFound for a text that cannot be one."""
    if not _NUMBER.fullmatch(text):
        raise no_line(text)
    return int(text)


def no_line(number: int | str) -> NotFound:
    """The statement, which exists, has no such line."""
    return NotFound("The statement has no line {number}.", number=str(number))


def in_order(lines: Iterable[Line], names: Mapping[SubjectId, str]) -> list[Line]:
    """As people read them: what is reserved, the subjects by name, then what is added to and taken from their sum."""

    def position(line: Line) -> tuple[object, ...]:
        name = names.get(line.subject_id, "")
        is_extra = line.product in _AT_THE_END
        return (
            is_extra,
            _ORDER.index(line.product) if is_extra or line.product is Product.RESERVED else 1,
            name_key(name),
            name,
            str(line.subject_id),
            _ORDER.index(line.product),
            line.first,
        )

    return sorted(lines, key=position)


def without_nulls(value: Any) -> Any:
    """JSON without the members that have no value."""
    match value:
        case dict():
            members = cast("dict[str, Any]", value).items()
            return {name: without_nulls(member) for name, member in members if member is not None}
        case list():
            return [without_nulls(element) for element in cast("list[Any]", value)]
        case _:
            return value
