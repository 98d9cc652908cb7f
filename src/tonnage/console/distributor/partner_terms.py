"""What a partner had and when: the history of its contract, its allocation and its overdraft."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorViewer
from tonnage.console.tables.table import TablePage
from tonnage.console.tables.terms import PARTNER_TERMS_TABLE
from tonnage.db import Connection
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.partners.terms_lists import PARTNER_TERMS, partner_terms
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(
    prefix="/distributor/partners/{partnerID}/terms", route_class=AuthFirstRoute, include_in_schema=False
)


@routes.get("")
async def terms(page: DistributorViewer, partnerID: UuidPath) -> Response:
    """The present ones first."""
    state = read_list_state(PARTNER_TERMS, page.request.query_params)

    async def read(conn: Connection) -> tuple[PartnerDetail, TablePage]:
        facts = await facts_of(conn, page, partnerID)
        found = await partner_terms(conn, page.actor.organisation_id, partnerID, state)
        path = f"{path_of(partnerID)}/terms"
        return facts, PARTNER_TERMS_TABLE.paged(page, path, found, state, row_path=None)

    facts, listed = await page.database.run(read)
    return partner_page(page, "distributor/partner_terms.html", facts, terms=listed)
