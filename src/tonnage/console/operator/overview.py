"""What the operator begins with: what is sold and used, what moves, and what somebody has to look at."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.monitoring_queries import OnCluster, on_clusters
from tonnage.console.visit import OperatorViewer
from tonnage.contracts.page_queries import Capacity, capacity
from tonnage.db import Connection
from tonnage.jobs.page_queries import job_rows
from tonnage.partners.attention_queries import Fullness, fullness
from tonnage.partners.contract_queries import CONTRACTS, contract_rows
from tonnage.usage.mover_queries import MOVED_DAYS, Mover, are_few, movers
from tonnage.usage.region_queries import RegionRow, region_rows
from tonnage.web.route import Door

routes = APIRouter(prefix="/operator", route_class=Door, include_in_schema=False)


@dataclass(frozen=True)
class Overview:
    """All that the page shows."""

    capacity: Capacity
    regions: list[RegionRow]
    clusters: list[OnCluster]
    fullness: Fullness
    full_contracts: int
    failed_jobs: int
    movers: list[Mover] | None
    """None: there are so many partners that it would keep the page waiting."""


async def _overview(conn: Connection, today: date) -> Overview:
    full = await contract_rows(conn, None, CONTRACTS.read({"show": "full", "size": "25"}))
    _, failed = await job_rows(conn, "failed", 1, 0)
    return Overview(
        await capacity(conn),
        await region_rows(conn),
        await on_clusters(conn),
        await fullness(conn, None),
        full.total,
        failed,
        await movers(conn, None, today) if await are_few(conn) else None,
    )


@routes.get("")
async def overview(visit: OperatorViewer) -> Response:
    """Where there are many partners, the largest movers come after it: 120,000 are added up in half a second."""
    found = await visit.database.run(lambda conn: _overview(conn, visit.today))
    stale = [region for region in found.regions if region.is_stale(visit.now)]
    troubled = [region for region in found.regions if region.trouble]
    return visit.page("operator/overview.html", overview=found, stale=stale, troubled=troubled, moved_days=MOVED_DAYS)


@routes.get("/movers")
async def moved(visit: OperatorViewer) -> Response:
    """The partners whose use has changed most."""
    found = await visit.database.run(lambda conn: movers(conn, None, visit.today))
    return visit.page("operator/movers.html", movers=found, moved_days=MOVED_DAYS)
