"""A distributor's start page: what it has, what it earns this month, and what needs attention."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.billing.lists import bought, sold
from tonnage.billing.month_net import Fees
from tonnage.console.page_request import DistributorViewer
from tonnage.contracts.lists import ContractTotals, contract_totals
from tonnage.db import Connection
from tonnage.partners.contract_lists import CONTRACTS, contract_rows
from tonnage.partners.lists import FullPartners, full_partners
from tonnage.statements.lists import UnsettledStatements, unsettled_statements
from tonnage.usage.lists import has_few_partners, top_movers
from tonnage.usage.top_movers import COMPARED_DAYS, TopMover
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

PATH = "/distributor"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_FULLEST = 5
"""Partners shown."""


@dataclass(frozen=True)
class DistributorOverview:
    """All that the page shows."""

    capacity: ContractTotals
    fullness: FullPartners
    full_contracts: int
    statements: UnsettledStatements
    bought: Fees
    sold: Fees | None
    """None, as below: there are so many partners that it would keep the page waiting."""
    movers: list[TopMover] | None


async def _overview(conn: Connection, distributor: UUID, today: date) -> DistributorOverview:
    full = await contract_rows(conn, distributor, read_list_state(CONTRACTS, {"show": "full", "size": "25"}), today)
    few = await has_few_partners(conn, distributor)
    return DistributorOverview(
        await contract_totals(conn, distributor),
        await full_partners(conn, distributor, _FULLEST),
        full.total,
        await unsettled_statements(conn, distributor, today),
        await bought(conn, distributor, today),
        await sold(conn, distributor, Kind.DISTRIBUTOR, today) if few else None,
        await top_movers(conn, today, distributor) if few else None,
    )


@routes.get("")
async def overview(page: DistributorViewer) -> Response:
    """Of all contracts. Where there are many partners, the sum of their fees and the largest movers come after it."""
    found = await page.database.run(_overview, page.actor.organisation_id, page.today)
    return page.render("distributor/overview.html", overview=found, moved_days=COMPARED_DAYS)


@routes.get("/fees")
async def fees(page: DistributorViewer) -> Response:
    """The tiles that a page did not wait for."""
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[Fees, Fees]:
        return await sold(conn, scope, Kind.DISTRIBUTOR, page.today), await bought(conn, scope, page.today)

    gain, cost = await page.database.run(read)
    return page.render("distributor/sold.html", sold=gain, bought=cost)


@routes.get("/movers")
async def moved(page: DistributorViewer) -> Response:
    """The partners whose use has changed most."""
    found = await page.database.run(top_movers, page.today, page.actor.organisation_id)
    return page.render("components/top_movers.html", movers=found, moved_days=COMPARED_DAYS)
