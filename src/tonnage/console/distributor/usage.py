"""What a partner has used, day by day."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.alerts.alert_level import AlertSubject
from tonnage.console.date_range import read_range
from tonnage.console.distributor.partner import facts_of, partner_page
from tonnage.console.page_request import DistributorViewer
from tonnage.console.range_usage import RangeFee, RangeUsage, fee_of_range, partner_usage
from tonnage.console.tables.partner_days import partner_days_file
from tonnage.db import Connection
from tonnage.forecasts.forecast import Forecast
from tonnage.forecasts.queries import forecast_of
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.usage.lists import PartnerDay
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix="/distributor/partners/{partnerID}", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def usage(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """Against what it has been allocated, and what a month has cost."""
    shown = read_range(page.request.query_params, page.today)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[PartnerDetail, RangeUsage[PartnerDay], RangeFee, Forecast | None]:
        facts = await facts_of(conn, page, partnerID)
        use = await partner_usage(conn, scope, partnerID, shown)
        fee = await fee_of_range(conn, scope, Subject(SubjectKind.PARTNER, partnerID), shown)
        return facts, use, fee, await forecast_of(conn, scope, AlertSubject.PARTNER, partnerID)

    facts, use, fee, forecast = await page.database.run(read)
    return partner_page(page, "distributor/usage.html", facts, use=use, fee=fee, forecast=forecast)


@routes.get("/usage.csv")
async def usage_file(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """The same days, in order."""
    shown = read_range(page.request.query_params, page.today)
    await page.database.run(facts_of, page, partnerID)

    return await partner_days_file(page, page.actor.organisation_id, partnerID, shown.period)
