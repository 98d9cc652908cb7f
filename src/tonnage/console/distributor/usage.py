"""What a partner has used, day by day."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.billing.lists import fee_of
from tonnage.billing.month_net import Fees
from tonnage.console.date_range import read_range
from tonnage.console.distributor.partner import facts_of, partner_page
from tonnage.console.page_request import DistributorViewer
from tonnage.console.tables.partner_days import partner_days_file
from tonnage.db import Connection
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.usage.lists import PartnerDay, daily_of_partner, mean
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(prefix="/distributor/partners/{partnerID}", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def usage(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """Against what it has been allocated, and what the month has cost so far."""
    shown = read_range(page.request.query_params, page.today)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[PartnerDetail, list[PartnerDay], Fees]:
        facts = await facts_of(conn, page, partnerID)
        days = await daily_of_partner(conn, scope, partnerID, shown.period, page.today)
        return facts, days, await fee_of(conn, scope, Subject(SubjectKind.PARTNER, partnerID), page.today)

    facts, days, fees = await page.database.run(read)
    average = mean([day.usage for day in days])
    return partner_page(page, "distributor/usage.html", facts, range=shown, days=days, average=average, fees=fees)


@routes.get("/usage.csv")
async def usage_file(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """The same days, in order."""
    shown = read_range(page.request.query_params, page.today)
    await page.database.run(facts_of, page, partnerID)

    return await partner_days_file(page, page.actor.organisation_id, partnerID, shown.period)
