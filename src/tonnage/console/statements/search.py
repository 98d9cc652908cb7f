"""Which statements a list has, as its address says it. Lenient: what cannot be read was not asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from tonnage.access.actor import Actor, Kind
from tonnage.billing.buyer import read_buyer_id
from tonnage.console.statements.paths import begins_with_sold
from tonnage.keyset import read_cursor, write_cursor
from tonnage.lists import FIRST_PAGE, LAST_PAGE, Position
from tonnage.statements.lists import ORDER, UNPAID, StatementFilter
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

_LONGEST_NUMBER = 60


@dataclass(frozen=True)
class StatementSearch:
    """The filter of the page. What is None or empty does not matter."""

    kind: Kind
    """Of the reader's organisation."""
    sold: bool
    month: date | None = None
    """Its first day."""
    state: str = ""
    buyer: UUID | int | None = None
    number: str = ""
    position: Position = FIRST_PAGE

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return self != StatementSearch(self.kind, self.sold, position=self.position)

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
            "q": self.number,
            "before" if is_before else "after": write_cursor(key) if key else None,
            "page": "last" if self.position == LAST_PAGE else None,
        }
        return {name: str(value) for name, value in given.items() if value}

    @property
    def filter(self) -> StatementFilter:
        """For the query."""
        return StatementFilter(self.sold, self.month, self.state or None, self.buyer, self.number)


def read_search(actor: Actor, query: Mapping[str, str]) -> StatementSearch:
    """Of a page's query. An operator buys nothing."""
    role, state = query.get("role", ""), query.get("show", "")
    sold = begins_with_sold(actor.kind) if role not in {"seller", "buyer"} else role == "seller"
    number = query.get("q", "").strip()
    return StatementSearch(
        actor.kind,
        sold or actor.kind is Kind.OPERATOR,
        parse_month(query.get("month", "")),
        state if state in STATES else "",
        read_buyer_id(query.get("buyer", "")),
        number if number.isprintable() and len(number) <= _LONGEST_NUMBER else "",
        _position(query),
    )


def _position(query: Mapping[str, str]) -> Position:
    for name, is_before in (("after", False), ("before", True)):
        key = read_cursor(ORDER, query[name]) if query.get(name) else None
        if key is not None:
            return Position(key, is_before)
    return LAST_PAGE if query.get("page") == "last" else FIRST_PAGE
