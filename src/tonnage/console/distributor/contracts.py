"""A distributor's contracts, and one of them with the history of its terms."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.alerts.alert_level import AlertSubject
from tonnage.billing.lists import bought, sold
from tonnage.console.distributor.contract_picker import MANY_PARTNERS
from tonnage.console.fee_month import read_fee_list
from tonnage.console.page_request import DistributorViewer
from tonnage.console.tables.contracts import CONTRACTS_TABLE
from tonnage.console.tables.terms import CONTRACT_TERMS_TABLE
from tonnage.contracts.contract import no_contract
from tonnage.contracts.lists import TERMS, contract_terms
from tonnage.db import Connection
from tonnage.forecasts.queries import forecast_of
from tonnage.partners.contract_lists import CONTRACTS, contract_rows, every_contract, one_contract
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

PATH = "/distributor/contracts"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def contracts(page: DistributorViewer) -> Response:
    """Each leads to its page."""
    state, month = read_fee_list(CONTRACTS, page.request.query_params, page.today)
    scope = page.actor.organisation_id
    found = await page.database.run(contract_rows, scope, state, month.first)
    listed = CONTRACTS_TABLE.of_month(page, month.first).paged(page, PATH, found, state, row_path=f"{PATH}/")
    return page.render("distributor/contracts.html", list=listed, month=month)


@routes.get(".csv")
async def contracts_file(page: DistributorViewer) -> Response:
    """The same list, whole."""
    state, month = read_fee_list(CONTRACTS, page.request.query_params, page.today)
    scope = page.actor.organisation_id
    return await CONTRACTS_TABLE.of_month(page, month.first).file(page, every_contract, scope, state, month.first)


@routes.get("/{contractID}")
async def contract(page: DistributorViewer, contractID: UuidPath) -> Response:
    """What it has, what it costs and brings in, and its terms since it was signed. Closed ones too."""
    state = read_list_state(TERMS, page.request.query_params)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> dict[str, Any]:
        found = await one_contract(conn, scope, contractID)
        if found is None:
            raise no_contract(contractID)
        many = found.partners > MANY_PARTNERS
        terms = await contract_terms(conn, scope, contractID, state)
        return {
            "contract": found,
            "terms": CONTRACT_TERMS_TABLE.paged(page, f"{PATH}/{contractID}", terms, state, row_path=None),
            "forecast": await forecast_of(conn, scope, AlertSubject.CONTRACT, contractID),
            "bought": await bought(conn, scope, page.today, contractID),
            "sold": None if many else await sold(conn, scope, Kind.DISTRIBUTOR, page.today, contractID),
        }

    return page.render("distributor/contract.html", **await page.database.run(read))
