"""What a partner has used, day by day."""

from collections.abc import AsyncGenerator, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.excess import Excess, excess_of
from tonnage.console.distributor.partner import facts_of, partner_page
from tonnage.console.ranges import read_range
from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorViewer
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerFacts
from tonnage.usage.month_queries import month_of_partner
from tonnage.usage.partner_queries import PartnerDay, daily_of_partner, mean
from tonnage.web.csv_file import CsvFile
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door

routes = APIRouter(prefix="/distributor/partners/{partnerID}", route_class=Door, include_in_schema=False)


@routes.get("")
async def usage(visit: DistributorViewer, partnerID: UuidPath) -> Response:
    """Against what it has been allocated, and what the month has cost so far."""
    shown = read_range(visit.request.query_params, visit.today)
    scope = visit.actor.organisation_id

    async def read(conn: Connection) -> tuple[PartnerFacts, list[PartnerDay], Excess]:
        facts = await facts_of(conn, visit, partnerID)
        days = await daily_of_partner(conn, scope, partnerID, shown.period, visit.today)
        month = await month_of_partner(conn, scope, partnerID, visit.today)
        return facts, days, excess_of([month] if month else [])

    facts, days, excess = await visit.database.run(read)
    average = mean([day.usage for day in days])
    return partner_page(visit, "distributor/usage.html", facts, range=shown, days=days, average=average, excess=excess)


@routes.get("/usage.csv")
async def usage_file(visit: DistributorViewer, partnerID: UuidPath) -> Response:
    """The same days, in order."""
    shown = read_range(visit.request.query_params, visit.today)
    scope = visit.actor.organisation_id
    await visit.database.run(lambda conn: facts_of(conn, visit, partnerID))

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        for day in await daily_of_partner(conn, scope, partnerID, shown.period, visit.today):
            yield day

    header = [gettext("Day"), gettext("Used bytes"), gettext("Allocated bytes"), gettext("Excess bytes")]
    return CsvFile(visit.database.streams, scope, "usage.csv", header, rows)
