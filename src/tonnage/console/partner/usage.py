"""What all accounts of the partner use together, by the day."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.lists import fee_of
from tonnage.billing.month_net import Fees
from tonnage.console.date_range import read_range
from tonnage.console.page_request import PartnerViewer
from tonnage.console.tables.partner_days import partner_days_file
from tonnage.db import Connection
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerTotals, partner_totals
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.usage.lists import PartnerDay, daily_of_partner, mean
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/partner/usage", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def usage(page: PartnerViewer) -> Response:
    """Over a range of days."""
    partner = page.actor.organisation_id
    today = page.today
    chosen = read_range(page.request.query_params, today)

    async def read(conn: Connection) -> tuple[PartnerTotals | None, list[PartnerDay], Fees]:
        return (
            await partner_totals(conn, partner, partner),
            await daily_of_partner(conn, partner, partner, chosen.period, today),
            await fee_of(conn, partner, Subject(SubjectKind.PARTNER, partner), today),
        )

    totals, days, fees = await page.database.run(read)
    if totals is None:
        raise no_partner(partner)
    return page.render(
        "partner/usage.html",
        totals=totals,
        days=days,
        range=chosen,
        average=mean([day.usage for day in days]),
        highest=max(days, key=lambda day: day.usage, default=None),
        over=sum(day.excess > 0 for day in days),
        fees=fees,
    )


@routes.get(".csv")
async def usage_file(page: PartnerViewer) -> Response:
    """The days of the range."""
    partner = page.actor.organisation_id
    today = page.today
    period = read_range(page.request.query_params, today).period

    return await partner_days_file(page, partner, partner, period)
