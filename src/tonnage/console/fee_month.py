"""The month of the fees in a list, as its address says it: the running one, or the last one.

Only of these two the nets of all buyers are stored, so that lists can be sorted by them. Older months have statements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from tonnage.lists import ListSpec, ListState
from tonnage.utc import month_before, parse_month
from tonnage.web.list_state import list_url, read_list_state


class MonthChoice(NamedTuple):
    """A link to the same list with the fees of a month."""

    first: date
    query: str
    chosen: bool


@dataclass(frozen=True)
class FeeMonth:
    """The first day of the month, and that of the running one."""

    first: date
    running: date
    refused: date | None = None
    """The first day of the month that was asked for, of which no nets are stored; the running one is shown instead."""

    @classmethod
    def of(cls, day: date | None, today: date) -> "FeeMonth":
        """The last month if the day is in it, else the running one."""
        running = today.replace(day=1)
        last, asked = month_before(running), day.replace(day=1) if day else running
        return cls(last if asked == last else running, running, asked if asked < last else None)

    @property
    def is_running(self) -> bool:
        """Whether the fees are those so far."""
        return self.first == self.running

    @property
    def more(self) -> str:
        """What the query of a link to another list has, so that it shows the same month."""
        return "" if self.is_running else f"&month={self.first:%Y-%m}"

    def choices(self, state: ListState, *, is_ranged: bool) -> list[MonthChoice]:
        """The running month, and the last one. `is_ranged`: the page has a range of days, which becomes that month."""
        others = {name: value for name, value in state.preserved.items() if name not in {"from", "to", "month"}}
        last = month_before(self.running)
        running = {"month": f"{self.running:%Y-%m}"} if is_ranged else {}
        choices = [(self.running, {**others, **running}), (last, {**others, "month": f"{last:%Y-%m}"})]
        return [MonthChoice(first, list_url(state, preserved=kept), first == self.first) for first, kept in choices]


def read_fee_list(spec: ListSpec, query: Mapping[str, str], today: date) -> tuple[ListState, FeeMonth]:
    """The state of a list with fees, and their month. Any other month is read as the running one, and not kept in the
    list's links: the page says so, and headings say which month is shown."""
    state = read_list_state(spec, query)
    month = FeeMonth.of(parse_month(query.get("month", "")), today)
    kept = {name: value for name, value in state.preserved.items() if name != "month" or not month.is_running}
    return replace(state, preserved=kept), month
