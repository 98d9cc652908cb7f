"""What all accounts of the partner use together, by the day."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.alerts.alert_level import AlertSubject
from tonnage.console.date_range import read_range
from tonnage.console.page_request import PartnerViewer
from tonnage.console.range_usage import RangeFee, RangeUsage, fee_of_range, partner_usage
from tonnage.console.tables.partner_days import partner_days_file
from tonnage.db import Connection
from tonnage.forecasts.forecast import Forecast
from tonnage.forecasts.queries import forecast_of
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerTotals, partner_totals
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.usage.lists import PartnerDay
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/partner/usage", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def usage(page: PartnerViewer) -> Response:
    """Over a range of days."""
    partner = page.actor.organisation_id
    chosen = read_range(page.request.query_params, page.today)

    async def read(
        conn: Connection,
    ) -> tuple[PartnerTotals | None, RangeUsage[PartnerDay], RangeFee, Forecast | None]:
        return (
            await partner_totals(conn, partner, partner),
            await partner_usage(conn, partner, partner, chosen),
            await fee_of_range(conn, partner, Subject(SubjectKind.PARTNER, partner), chosen),
            await forecast_of(conn, partner, AlertSubject.PARTNER, partner),
        )

    totals, use, fee, forecast = await page.database.run(read)
    if totals is None:
        raise no_partner(partner)
    return page.render(
        "partner/usage.html",
        totals=totals,
        use=use,
        highest=max(use.days, key=lambda day: day.usage, default=None),
        over=sum(day.excess > 0 for day in use.days),
        has_allocation=any(day.allocated for day in use.days),
        fee=fee,
        forecast=forecast,
    )


@routes.get(".csv")
async def usage_file(page: PartnerViewer) -> Response:
    """The days of the range."""
    partner = page.actor.organisation_id
    period = read_range(page.request.query_params, page.today).period

    return await partner_days_file(page, partner, partner, period)
