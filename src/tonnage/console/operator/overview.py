"""The operator's start page: whom to call today, capacity sold and used, and problems that need attention."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.attention.attention import SHOWN
from tonnage.attention.capacity_lists import among_full
from tonnage.authentication.throttling import PROXY_SHOWN_FOR
from tonnage.authentication.throttling_queries import untrusted_proxy
from tonnage.billing.lists import sold
from tonnage.billing.month_net import Fees
from tonnage.console.attention.sections import ShownSection, read_sections
from tonnage.console.page_request import OperatorViewer, PageRequest
from tonnage.contracts.lists import ContractTotals, contract_totals
from tonnage.db import Connection
from tonnage.epoch.epoch import Hold
from tonnage.epoch.queries import hold_of
from tonnage.jobs.lists import JOBS, job_rows
from tonnage.metering.lists import STALE_AFTER, RegionRow, RegionSampling, region_rows, region_sampling
from tonnage.partners.contract_lists import CONTRACTS, contract_rows
from tonnage.partners.lists import FullPartners, full_partners
from tonnage.statements.lists import BlockedStatements, blocked_statements
from tonnage.usage.lists import has_few_partners, top_movers
from tonnage.usage.top_movers import COMPARED_DAYS
from tonnage.web.list_state import read_list_state
from tonnage.web.proxy_headers import is_trusted
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/operator", route_class=AuthFirstRoute, include_in_schema=False)


@dataclass(frozen=True)
class Overview:
    """All that the page shows."""

    today: list[ShownSection]
    capacity: ContractTotals
    regions: list[RegionRow] | None
    """None: there are so many partners that it would keep the page waiting."""
    stale: list[RegionSampling]
    fullness: FullPartners
    full_contracts: int
    fees: Fees
    """Of all contracts."""
    blocked: BlockedStatements
    failed_jobs: int
    hold: Hold | None
    untrusted_proxy: str | None
    """A peer that sends `X-Forwarded-For` and is no trusted proxy."""


async def _overview(conn: Connection, page: PageRequest) -> Overview:
    operator, today = page.actor.organisation_id, page.today
    full = await contract_rows(conn, None, read_list_state(CONTRACTS, {"show": "full", "size": "25"}), today)
    failed = await job_rows(conn, read_list_state(JOBS, {"show": "failed", "size": "25"}))
    fullness = await full_partners(conn)
    return Overview(
        await read_sections(conn, page, {"over": await among_full(conn, fullness, SHOWN)}),
        await contract_totals(conn),
        await region_rows(conn) if await has_few_partners(conn) else None,
        [one for one in await region_sampling(conn) if page.business_now - one.hour > STALE_AFTER],
        fullness,
        full.total,
        await sold(conn, operator, Kind.OPERATOR, today),
        await blocked_statements(conn, operator),
        failed.total,
        await hold_of(conn),
        await untrusted_proxy(conn, page.wall_now - PROXY_SHOWN_FOR),
    )


@routes.get("")
async def overview(page: OperatorViewer) -> Response:
    """The largest movers come after it: where there are many partners, they are added up in half a second."""
    found = await page.database.run(_overview, page)
    peer = found.untrusted_proxy
    if peer and is_trusted(peer, page.services.sign_in.trusted_proxies):
        found = replace(found, untrusted_proxy=None)
    return page.render("operator/overview.html", overview=found, moved_days=COMPARED_DAYS)


@routes.get("/regions-today")
async def regions_today(page: OperatorViewer) -> Response:
    """What is sold, used and free in each region, where a page did not wait for it: all accounts are added up."""
    return page.render("operator/regions_today.html", rows=await page.database.run(region_rows))


@routes.get("/movers")
async def moved(page: OperatorViewer) -> Response:
    """The partners whose use has changed most."""
    found = await page.database.run(top_movers, page.today)
    return page.render("components/top_movers.html", movers=found, moved_days=COMPARED_DAYS)
