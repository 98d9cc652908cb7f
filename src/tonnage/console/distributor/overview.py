"""A distributor's start page: whom to call today, what it has, and what it earns this month."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.attention.attention import SHOWN
from tonnage.attention.capacity_lists import among_full
from tonnage.billing.lists import bought, sold
from tonnage.billing.month_net import Fees
from tonnage.console.attention.sections import ShownSection, read_sections
from tonnage.console.page_request import DistributorViewer, PageRequest
from tonnage.contracts.lists import ContractTotals, contract_totals
from tonnage.db import Connection
from tonnage.partners.contract_lists import CONTRACTS, contract_rows
from tonnage.partners.lists import FullPartners, full_partners
from tonnage.statements.lists import BlockedStatements, blocked_statements
from tonnage.usage.lists import has_few_partners, top_movers
from tonnage.usage.top_movers import COMPARED_DAYS
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

PATH = "/distributor"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_FULLEST = 5
"""Partners shown."""


@dataclass(frozen=True)
class DistributorOverview:
    """All that the page shows."""

    today: list[ShownSection]
    capacity: ContractTotals
    fullness: FullPartners
    full_contracts: int
    blocked: BlockedStatements
    bought: Fees
    sold: Fees | None
    """None: there are so many partners that it would keep the page waiting."""


async def _overview(conn: Connection, page: PageRequest) -> DistributorOverview:
    distributor, today = page.actor.organisation_id, page.today
    full = await contract_rows(conn, distributor, read_list_state(CONTRACTS, {"show": "full", "size": "25"}), today)
    few = await has_few_partners(conn, distributor)
    fullness = await full_partners(conn, distributor, _FULLEST)
    return DistributorOverview(
        await read_sections(conn, page, {"over": await among_full(conn, fullness, SHOWN)}),
        await contract_totals(conn, distributor),
        fullness,
        full.total,
        await blocked_statements(conn, distributor),
        await bought(conn, distributor, today),
        await sold(conn, distributor, Kind.DISTRIBUTOR, today) if few else None,
    )


@routes.get("")
async def overview(page: DistributorViewer) -> Response:
    """Of all contracts. Where there are many partners, the sum of their fees comes after it; the largest movers
    always do."""
    found = await page.database.run(_overview, page)
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
