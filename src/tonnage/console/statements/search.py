"""Which statements or adjustments a list has, as its address says it. Lenient: what cannot be read was not asked
for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.billing.buyer import read_buyer_id
from tonnage.console.statements.paths import begins_with_sold, earlier_month
from tonnage.keyset import Sort, read_cursor, write_cursor
from tonnage.lists import FIRST_PAGE, LAST_PAGE, Position
from tonnage.statements import adjustment_lists, lists
from tonnage.statements.adjustment_lists import AdjustmentFilter
from tonnage.statements.lists import UNPAID, StatementFilter
from tonnage.utc import parse_month
from tonnage.wording.catalogue import N_

STATES: Mapping[str, str] = {
    UNPAID: N_("Unpaid"),
    "frozen": N_("Frozen"),
    "issued": N_("Mailed"),
    "overdue": N_("Overdue"),
    "paid": N_("Paid"),
    "credited": N_("Credited"),
    "void": N_("Void"),
}
"""The choices, to be translated: frozen, mailed and overdue statements are unpaid."""

OPEN = "open"
"""Adjustments of which something remains."""

_LONGEST_NUMBER = 60
_MOST_MONTHS = 120
"""Choices of the filter: others are in the addresses of months."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What both lists can be asked for. What is None or empty does not matter."""

    kind: Kind
    """Of the reader's organisation."""
    sold: bool
    month: date | None = None
    """Its first day."""
    state: str = ""
    buyer: UUID | int | None = None
    position: Position = FIRST_PAGE

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return self != type(self)(kind=self.kind, sold=self.sold, position=self.position)

    def url(self, **changes: Any) -> str:
        """The query string with changes; every other filter begins at the first page."""
        other = replace(self, **{"position": FIRST_PAGE, **changes})
        return f"?{urlencode(other.parameters)}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query as its parameters, without what does not matter."""
        key, is_before = self.position
        given = {
            "role": None if self.sold is begins_with_sold(self.kind) else "seller" if self.sold else "buyer",
            "month": f"{self.month:%Y-%m}" if self.month else None,
            "show": self.state,
            "buyer": self.buyer,
            **self._more,
            "before" if is_before else "after": write_cursor(key) if key else None,
            "page": "last" if self.position == LAST_PAGE else None,
        }
        return {name: str(value) for name, value in given.items() if value}

    @property
    def _more(self) -> Mapping[str, str]:
        return {}


@dataclass(frozen=True, kw_only=True)
class StatementSearch(Search):
    """Which statements the list has."""

    number: str = ""

    @property
    def _more(self) -> Mapping[str, str]:
        return {"q": self.number}

    @property
    def filter(self) -> StatementFilter:
        """For the query."""
        return StatementFilter(self.sold, self.month, self.state or None, self.buyer, self.number)


@dataclass(frozen=True, kw_only=True)
class AdjustmentSearch(Search):
    """Which adjustments the list has: `month` is the one that they correct, `state` is OPEN or any."""

    @property
    def filter(self) -> AdjustmentFilter:
        """For the query."""
        return AdjustmentFilter(self.sold, self.month, self.buyer, is_open=self.state == OPEN)


def read_search(actor: Actor, query: Mapping[str, str]) -> StatementSearch:
    """Of a page's query."""
    state, number = query.get("show", ""), query.get("q", "").strip()
    return StatementSearch(
        kind=actor.kind,
        sold=_is_sold(actor, query),
        month=parse_month(query.get("month", "")),
        state=state if state in STATES else "",
        buyer=read_buyer_id(query.get("buyer", "")),
        number=number if number.isprintable() and len(number) <= _LONGEST_NUMBER else "",
        position=_position(query, lists.ORDER),
    )


def read_adjustment_search(actor: Actor, query: Mapping[str, str]) -> AdjustmentSearch:
    """Likewise."""
    return AdjustmentSearch(
        kind=actor.kind,
        sold=_is_sold(actor, query),
        month=parse_month(query.get("month", "")),
        state=OPEN if query.get("show") == OPEN else "",
        buyer=read_buyer_id(query.get("buyer", "")),
        position=_position(query, adjustment_lists.ORDER),
    )


def month_choices(first: date | None, last: date, chosen: date | None) -> list[date]:
    """From `last` back to the first one of which the list has something, and the chosen one."""
    found: list[date] = []
    month: date | None = last
    while first is not None and month is not None and month >= first and len(found) < _MOST_MONTHS:
        found.append(month)
        month = earlier_month(month)
    return sorted({*found, *([chosen] if chosen else [])}, reverse=True)


def _is_sold(actor: Actor, query: Mapping[str, str]) -> bool:
    """An operator buys nothing."""
    role = query.get("role", "")
    sold = begins_with_sold(actor.kind) if role not in {"seller", "buyer"} else role == "seller"
    return sold or actor.kind is Kind.OPERATOR


def _position(query: Mapping[str, str], order: Sort) -> Position:
    for name, is_before in (("after", False), ("before", True)):
        key = read_cursor(order, query[name]) if query.get(name) else None
        if key is not None:
            return Position(key, is_before)
    return LAST_PAGE if query.get("page") == "last" else FIRST_PAGE
