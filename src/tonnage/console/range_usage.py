"""The figures of a page whose days are chosen: use and its comparison, and the fee of the month that the days are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from tonnage.billing.lists import fee_of
from tonnage.billing.month_net import Fees
from tonnage.console.date_range import DateRange
from tonnage.console.rendering import ngettext, number, percent
from tonnage.db import Connection
from tonnage.money import Money, totals
from tonnage.price_books.assignment import Subject
from tonnage.statements.queries import MonthCharge, frozen_charges
from tonnage.usage.lists import PartnerDay, daily_of_partner, mean
from tonnage.utc import month_before


class _Day(Protocol):
    @property
    def usage(self) -> int | Decimal: ...


D = TypeVar("D", bound=_Day)


@dataclass(frozen=True)
class RangeUsage(Generic[D]):
    """The days of a range, and those of as many days before it."""

    chosen: DateRange
    days: Sequence[D]
    before: Sequence[D]

    @property
    def average(self) -> Decimal | None:
        """Of the days, bytes."""
        return _average(self.days)

    @property
    def average_change(self) -> str:
        """How it compares with the period before."""
        return self.compared(_average)

    @property
    def is_over(self) -> bool:
        """Whether the range has ended: what is so now says nothing about it."""
        return self.chosen.period.last < self.chosen.today

    @property
    def past_day(self) -> D | None:
        """The last day of a range that has ended; None: it reaches today, and what is so now is shown."""
        return self.days[-1] if self.days and self.is_over else None

    def compared(self, figure: Callable[[Sequence[D]], int | Decimal | None]) -> str:
        """How a figure of the days compares with that of the days before; '' if one is not known for all of them."""
        days = self.chosen.days
        if len(self.days) != days or len(self.before) != days:
            return ""
        now, before = figure(self.days), figure(self.before)
        return compared(now, before, days) if now is not None and before is not None else ""


async def partner_usage(
    conn: Connection, scope: UUID | None, partner_id: UUID, chosen: DateRange
) -> RangeUsage[PartnerDay]:
    """Of all accounts of a partner together. `scope` None is the operator."""
    today, before = chosen.today, chosen.before
    days = await daily_of_partner(conn, scope, partner_id, chosen.period, today)
    earlier = await daily_of_partner(conn, scope, partner_id, before, today) if before else []
    return RangeUsage(chosen, days, earlier)


def compared(now: int | Decimal, before: int | Decimal, days: int) -> str:
    """`12.3% more than in the 30 days before`."""
    if now == before:
        text = ngettext("The same as on the day before", "The same as in the %(num)s days before", days)
        return text % {"num": number(days)}
    if not before:
        text = ngettext("Nothing on the day before", "Nothing in the %(num)s days before", days)
        return text % {"num": number(days)}
    if now > before:
        text = ngettext(
            "%(percent)s more than on the day before", "%(percent)s more than in the %(num)s days before", days
        )
    else:
        text = ngettext(
            "%(percent)s less than on the day before", "%(percent)s less than in the %(num)s days before", days
        )
    return text % {"percent": percent(abs(Decimal(now) - before) / before), "num": number(days)}


def _average(days: Sequence[_Day]) -> Decimal | None:
    return mean([Decimal(day.usage) for day in days])


@dataclass(frozen=True)
class RangeFee:
    """What a buyer is charged for the month that a range is, or for several."""

    months: Sequence[date]
    """Their first days; none: the range is not one of whole months, and nothing is charged for it as such."""
    is_running: bool = False
    """Whether the last one is not over."""
    stored: Fees | None = None
    """Of one month: the running one, or the last one until it is frozen; without adjustments."""
    frozen: MonthCharge | None = None
    """Of one month: the statement of one that is over."""
    sums: Sequence[Money] = ()
    """Of several months: the sums of those whose charge is known."""
    known: int = 0
    """How many these are."""

    @property
    def month(self) -> date | None:
        """The only one."""
        return self.months[0] if len(self.months) == 1 else None


async def fee_of_range(conn: Connection, viewer: UUID, subject: Subject, chosen: DateRange) -> RangeFee:
    """For the buyer itself and its seller: months are charged as they were frozen, the running one and the last one, if
    it is not frozen, as it is stored."""
    months = chosen.whole_months
    if not months:
        return RangeFee(())
    running = chosen.today.replace(day=1)
    last, is_running = month_before(running), months[-1] == running
    over = [month for month in months if month < running]
    frozen = await frozen_charges(conn, viewer, subject.id, over) if over else {}
    if len(months) > 1:
        known = {month: [charge.net] for month, charge in frozen.items()}
        if months[-1] >= last:
            stored = await fee_of(conn, viewer, subject, running)
            for month, sums in ((last, stored.before), (running, stored.sums)):
                if month in months and sums and month not in frozen:
                    known[month] = list(sums)
        sums = totals(sum_ for of_month in known.values() for sum_ in of_month)
        return RangeFee(months, is_running, sums=sums, known=len(known))
    (month,) = months
    if month in frozen:
        return RangeFee(months, frozen=frozen[month])
    if month < last:
        return RangeFee(months)
    return RangeFee(months, is_running, await fee_of(conn, viewer, subject, month))
