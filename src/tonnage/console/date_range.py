"""The days that a page is about, as its URL says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tonnage.errors import Invalid
from tonnage.usage.period import Period
from tonnage.utc import month_before
from tonnage.wording.catalogue import N_


@dataclass(frozen=True)
class Preset:
    """A usual range, to be chosen by a link."""

    label: str
    """To be translated."""
    period: Period
    chosen: bool

    @property
    def query(self) -> str:
        """Of the link."""
        return _query(self.period)


@dataclass(frozen=True)
class DateRange:
    """What was asked for, or the last 30 days."""

    period: Period
    presets: list[Preset]
    refusal: Invalid | None = None
    """Why what was asked for is not shown."""

    @property
    def query(self) -> str:
        """Of every link that must keep the range."""
        return _query(self.period)


def read_range(query: Mapping[str, str], today: date) -> DateRange:
    """`from` and `to` of a query. What is no day counts as not given; for a bad range the usual one is shown."""
    usual = _last(30, today)
    first, last = _day(query.get("from")), _day(query.get("to"))
    refusal = None
    period = usual
    if first is not None or last is not None:
        end = last or today
        try:
            period = Period(first or end - min(timedelta(days=29), end - date.min), end)
        except Invalid as error:
            refusal = error
    return DateRange(period, [Preset(label, one, one == period) for label, one in _presets(today)], refusal)


def _presets(today: date) -> list[tuple[str, Period]]:
    month = today.replace(day=1)
    before = month_before(month)
    return [
        (N_("7 days"), _last(7, today)),
        (N_("30 days"), _last(30, today)),
        (N_("90 days"), _last(90, today)),
        (N_("12 months"), _last(365, today)),
        (N_("This month"), Period(month, today)),
        (N_("Last month"), Period(before, month - timedelta(days=1))),
    ]


def _last(days: int, today: date) -> Period:
    return Period(today - timedelta(days=days - 1), today)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _query(period: Period) -> str:
    return f"from={period.first}&to={period.last}"
