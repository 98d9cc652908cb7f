"""A distributor's contracts."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import DistributorViewer
from tonnage.console.tables.contracts import CONTRACTS_TABLE
from tonnage.partners.contract_lists import CONTRACTS, contract_rows, every_contract
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

PATH = "/distributor/contracts"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def contracts(page: DistributorViewer) -> Response:
    """Each leads to its partners."""
    state = read_list_state(CONTRACTS, page.request.query_params)
    scope = page.actor.organisation_id
    found = await page.database.run(contract_rows, scope, state, page.today)
    listed = CONTRACTS_TABLE.paged(page, PATH, found, state, row_path="/distributor/partners?contract=")
    return page.render("distributor/contracts.html", list=listed)


@routes.get(".csv")
async def contracts_file(page: DistributorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(CONTRACTS, page.request.query_params)
    scope = page.actor.organisation_id

    return await CONTRACTS_TABLE.file(page, every_contract, scope, state, page.today)
