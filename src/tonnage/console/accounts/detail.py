"""What a storage account is and uses."""

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal

from starlette.responses import Response

from tonnage.accounts.facts_queries import AccountFacts
from tonnage.console.accounts.place import Place
from tonnage.console.ranges import read_range
from tonnage.console.rendering import gettext
from tonnage.console.wording.catalogue import N_
from tonnage.db import Connection
from tonnage.usage.account_queries import AccountDay, daily_of_account
from tonnage.usage.partner_queries import mean
from tonnage.web.csv_file import CsvFile

_COLUMNS = (
    N_("Day"),
    N_("Used bytes"),
    N_("Allocated bytes"),
    N_("Egress bytes"),
    N_("Ingress bytes"),
    N_("Requests"),
)


async def show(place: Place) -> Response:
    """Its use over a range of days, and its facts."""
    today = place.visit.now.date()
    chosen = read_range(place.visit.request.query_params, today)

    async def read(conn: Connection) -> tuple[AccountFacts, list[AccountDay]]:
        account = await place.found(conn)
        return account, await daily_of_account(conn, place.scope, place.account_id, chosen.period, today)

    account, days = await place.visit.database.run(read)
    return place.page(
        "accounts/detail.html",
        account,
        days=days,
        range=chosen,
        average=mean([Decimal(day.usage) for day in days]),
        sent=_sum([day.sent for day in days]),
        requests=_sum([day.requests for day in days]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    """None where nobody has counted anything."""
    counted = [count for count in counts if count is not None]
    return sum(counted) if counted else None


async def days_file(place: Place) -> Response:
    """The days of the range as a file."""
    today = place.visit.now.date()
    period = read_range(place.visit.request.query_params, today).period
    await place.account()

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        for day in await daily_of_account(conn, place.scope, place.account_id, period, today):
            yield day

    header = [gettext(name) for name in _COLUMNS]
    name = f"usage-{place.account_id}-{period.first}-{period.last}.csv"
    return CsvFile(place.visit.database.streams, place.scope, name, header, rows)
