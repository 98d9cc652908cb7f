"""What a storage account is and uses."""

from collections.abc import AsyncGenerator, Sequence

from starlette.responses import Response

from tonnage.accounts.account_queries import AccountDetail
from tonnage.alerts.alert_level import AlertSubject
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.date_range import read_range
from tonnage.console.range_usage import RangeUsage
from tonnage.console.tables.table import Column, csv_file
from tonnage.db import Connection
from tonnage.forecasts.forecast import Forecast
from tonnage.forecasts.queries import forecast_of
from tonnage.usage.lists import AccountDay, daily_of_account
from tonnage.wording.catalogue import N_

_DAYS = (
    Column("day", file=N_("Day")),
    Column("usage", file=N_("Used bytes")),
    Column("allocated", file=N_("Allocated bytes")),
    Column("sent", file=N_("Egress bytes")),
    Column("received", file=N_("Ingress bytes")),
    Column("requests", file=N_("Requests")),
)
"""Columns of the file."""


async def show(context: AccountContext) -> Response:
    """Its use over a range of days, and its facts."""
    today = context.page.today
    chosen = read_range(context.page.request.query_params, today)

    async def read(conn: Connection) -> tuple[AccountDetail, RangeUsage[AccountDay], Forecast | None]:
        account, scope, before = await context.found(conn), context.scope, chosen.before
        days = await daily_of_account(conn, scope, context.account_id, chosen.period, today)
        earlier = await daily_of_account(conn, scope, context.account_id, before, today) if before else []
        forecast = await forecast_of(conn, scope, AlertSubject.ACCOUNT, context.account_id)
        return account, RangeUsage(chosen, days, earlier), forecast

    account, use, forecast = await context.page.database.run(read)
    return context.render(
        "accounts/detail.html",
        account,
        use=use,
        forecast=forecast,
        days=use.days,
        sent=_sent(use.days),
        requests=_requests(use.days),
        sent_change=use.compared(_sent),
        requests_change=use.compared(_requests),
    )


def _sent(days: Sequence[AccountDay]) -> int | None:
    return _sum([day.sent for day in days])


def _requests(days: Sequence[AccountDay]) -> int | None:
    return _sum([day.requests for day in days])


def _sum(counts: Sequence[int | None]) -> int | None:
    """None where nobody has counted anything."""
    counted = [count for count in counts if count is not None]
    return sum(counted) if counted else None


async def days_file(context: AccountContext) -> Response:
    """The days of the range as a file."""
    today = context.page.today
    period = read_range(context.page.request.query_params, today).period
    await context.account()

    async def rows(conn: Connection) -> AsyncGenerator[AccountDay]:
        for day in await daily_of_account(conn, context.scope, context.account_id, period, today):
            yield day

    name = f"usage-{context.account_id}-{period.first}-{period.last}.csv"
    return await csv_file(context.page, name, _DAYS, rows)
