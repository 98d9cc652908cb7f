"""The days that a page is about, as its URL says it."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tonnage.errors import Invalid
from tonnage.usage.period import Period
from tonnage.utc import month_after, month_before, parse_month
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
    today: date
    refusal: Invalid | None = None
    """Why what was asked for is not shown."""

    @property
    def month(self) -> date | None:
        """The first day of the calendar month that the range is, whole or so far; None: it is no month, or several."""
        months = self.whole_months
        return months[0] if len(months) == 1 else None

    @property
    def whole_months(self) -> Sequence[date]:
        """The first days of the calendar months that the range is, each whole, the running one at least so far; none if
        it is anything else."""
        month, last = self.period.first, self.period.last
        running = self.today.replace(day=1)
        is_ended = last == _last_of(last) if last < running else self.today <= last <= _last_of(self.today)
        if month.day != 1 or month > self.today or not is_ended:
            return ()
        found: list[date] = []
        while month <= min(last, running):
            found.append(month)
            month = month_after(month)
        return found

    @property
    def last(self) -> date:
        """The last day that has come."""
        return min(self.period.last, self.today)

    @property
    def days(self) -> int:
        """The days that have come; below one where none has."""
        return (self.last - self.period.first).days + 1

    @property
    def before(self) -> Period | None:
        """As many days, up to the one before the first; None: there are none."""
        first, days = self.period.first, self.days
        if days < 1 or (first - date.min).days < days:
            return None
        return Period(first - timedelta(days=days), first - timedelta(days=1))

    @property
    def months(self) -> list[Preset]:
        """Of the presets, those that are calendar months."""
        return [preset for preset in self.presets if preset.label in _MONTHS]

    @property
    def query(self) -> str:
        """Of every link that must keep the range."""
        return _query(self.period)


def read_range(query: Mapping[str, str], today: date) -> DateRange:
    """`from` and `to` of a query, or its `month`.

    What cannot be read counts as not given; for a bad range the usual one is shown.
    """
    usual = _last(30, today)
    first, last = _day(query.get("from")), _day(query.get("to"))
    month = parse_month(query.get("month", ""))
    if first is None and last is None and month is not None and month <= today:
        first, last = month, min(_last_of(month), today)
    refusal = None
    period = usual
    if first is not None or last is not None:
        end = last or today
        try:
            period = Period(first or end - min(timedelta(days=29), end - date.min), end)
        except Invalid as error:
            refusal = error
    known = _presets(today)
    # On the 30th of a month two of them are the same days.
    chosen = next((label for label, one in known if one == period), None)
    return DateRange(period, [Preset(label, one, label == chosen) for label, one in known], today, refusal)


_MONTHS = (N_("This month"), N_("Last month"))


def _presets(today: date) -> list[tuple[str, Period]]:
    month = today.replace(day=1)
    before = month_before(month)
    return [
        (N_("7 days"), _last(7, today)),
        (N_("30 days"), _last(30, today)),
        (N_("90 days"), _last(90, today)),
        (N_("12 months"), _last(365, today)),
        (_MONTHS[0], Period(month, today)),
        (_MONTHS[1], Period(before, month - timedelta(days=1))),
    ]


def _last_of(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _last(days: int, today: date) -> Period:
    return Period(today - timedelta(days=days - 1), today)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _query(period: Period) -> str:
    return f"from={period.first}&to={period.last}"
