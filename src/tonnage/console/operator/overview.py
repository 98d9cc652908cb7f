"""The operator's start page: capacity sold and used, changes, and problems that need attention."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.authentication.throttling import PROXY_SHOWN_FOR
from tonnage.authentication.throttling_queries import untrusted_proxy
from tonnage.billing.lists import sold
from tonnage.billing.month_net import Fees
from tonnage.console.page_request import OperatorViewer
from tonnage.contracts.lists import ContractTotals, contract_totals
from tonnage.db import Connection
from tonnage.epoch.epoch import Hold
from tonnage.epoch.queries import hold_of
from tonnage.jobs.lists import JOBS, job_rows
from tonnage.metering.lists import RegionRow, region_rows
from tonnage.partners.contract_lists import CONTRACTS, contract_rows
from tonnage.partners.lists import FullPartners, full_partners
from tonnage.provisioning.lists import RegionProvisioning, region_provisioning
from tonnage.statements.lists import UnsettledStatements, unsettled_statements
from tonnage.usage.lists import has_few_partners, top_movers
from tonnage.usage.top_movers import COMPARED_DAYS, TopMover
from tonnage.web.list_state import read_list_state
from tonnage.web.proxy_headers import is_trusted
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/operator", route_class=AuthFirstRoute, include_in_schema=False)


@dataclass(frozen=True)
class Overview:
    """All that the page shows."""

    capacity: ContractTotals
    regions: list[RegionRow]
    clusters: list[RegionProvisioning]
    fullness: FullPartners
    full_contracts: int
    fees: Fees
    """Of all contracts."""
    statements: UnsettledStatements
    failed_jobs: int
    hold: Hold | None
    untrusted_proxy: str | None
    """A peer that sends `X-Forwarded-For` and is no trusted proxy."""
    movers: list[TopMover] | None
    """None: there are so many partners that it would keep the page waiting."""


async def _overview(conn: Connection, operator: UUID, today: date, wall_now: datetime) -> Overview:
    full = await contract_rows(conn, None, read_list_state(CONTRACTS, {"show": "full", "size": "25"}), today)
    failed = await job_rows(conn, read_list_state(JOBS, {"show": "failed", "size": "25"}))
    return Overview(
        await contract_totals(conn),
        await region_rows(conn),
        await region_provisioning(conn),
        await full_partners(conn),
        full.total,
        await sold(conn, operator, Kind.OPERATOR, today),
        await unsettled_statements(conn, operator, today),
        failed.total,
        await hold_of(conn),
        await untrusted_proxy(conn, wall_now - PROXY_SHOWN_FOR),
        await top_movers(conn, today) if await has_few_partners(conn) else None,
    )


@routes.get("")
async def overview(page: OperatorViewer) -> Response:
    """Where there are many partners, the largest movers come after it: 120,000 are added up in half a second."""
    found = await page.database.run(_overview, page.actor.organisation_id, page.today, page.wall_now)
    peer = found.untrusted_proxy
    if peer and is_trusted(peer, page.services.sign_in.trusted_proxies):
        found = replace(found, untrusted_proxy=None)
    stale = [region for region in found.regions if region.is_stale(page.business_now)]
    unhealthy = [region for region in found.regions if region.unhealthy_reason]
    return page.render(
        "operator/overview.html", overview=found, stale=stale, unhealthy=unhealthy, moved_days=COMPARED_DAYS
    )


@routes.get("/movers")
async def moved(page: OperatorViewer) -> Response:
    """The partners whose use has changed most."""
    found = await page.database.run(top_movers, page.today)
    return page.render("components/top_movers.html", movers=found, moved_days=COMPARED_DAYS)
