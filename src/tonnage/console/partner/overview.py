"""A partner's start page: whom to call today, and what the partner has and uses."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing.lists import sold
from tonnage.billing.month_net import Fees
from tonnage.console.attention.sections import ShownSection, read_sections
from tonnage.console.page_request import PartnerViewer
from tonnage.db import Connection
from tonnage.organisations.organisation import no_partner
from tonnage.partners.partner_queries import PartnerTotals, partner_totals
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/partner", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def overview(page: PartnerViewer) -> Response:
    """What needs a person first."""
    partner = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[list[ShownSection], PartnerTotals | None, Fees]:
        return (
            await read_sections(conn, page),
            await partner_totals(conn, partner, partner),
            await sold(conn, partner, page.actor.kind, page.today),
        )

    today, totals, fees = await page.database.run(read)
    if totals is None:
        raise no_partner(partner)
    return page.render(
        "partner/overview.html",
        today=today,
        totals=totals,
        fees=fees,
        may_change=page.actor.role.includes(Role.STAFF),
    )
