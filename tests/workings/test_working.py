"""The days of lines on single cases. That they add up on random histories: test_statement_model.py."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from tonnage.billing.line import Extra
from tonnage.billing.month import AccountUse, BuyerMonth, Capacity, Lifetime, Month, Span, SubjectMonth
from tonnage.billing.rating import rate
from tonnage.price_books.version import MinimumPool, PayPerUseMinimum, Prices
from tonnage.workings.working import working_of

CONTRACT, ONE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
GB = 10**9


def partner(id_: UUID, used: int, account: int) -> SubjectMonth:
    days = [used] * 30
    return SubjectMonth(
        id_,
        days,
        [Span(0, 30, Capacity(CONTRACT, 0))],
        Lifetime(0),
        accounts=[AccountUse(account, days, Lifetime(0))],
    )


def test_the_minimum_of_an_account_shows_its_own_use_alone() -> None:
    least = PayPerUseMinimum(1000, MinimumPool.ACCOUNT)
    prices = Prices(pay_per_use=Decimal(1), pay_per_use_minimum=least, egress_per_gb=Decimal(1))
    month = Month.of(date(2026, 11, 1), date(2027, 1, 1))
    buyer = BuyerMonth(CONTRACT, month, "EUR", [Span(0, 30, Capacity(CONTRACT, 0))], {CONTRACT: [Span(0, 30, prices)]})
    subjects = [partner(ONE, 300 * GB, 11), partner(OTHER, 500 * GB, 22)]
    missing = {line.subject_id: line for line in rate(buyer, subjects) if line.product is Extra.CAPACITY_MINIMUM}
    for account, used in ((11, 300 * GB), (22, 500 * GB)):
        days = working_of(missing[account], buyer, subjects)
        assert [day.used for day in days] == [used] * 30
        assert missing[account].byte_days == 30 * 1000 * GB - sum(day.quantity for day in days)
