"""The list of partners, of one contract or of all."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Role
from tonnage.billing.month_to_date_queries import month_of_contract, month_of_distributor
from tonnage.console.distributor.contract_picker import choices
from tonnage.console.distributor.month_to_date import MonthToDateTotals, month_to_date_totals
from tonnage.console.page_request import DistributorViewer, PageRequest
from tonnage.console.tables.partners import PARTNERS_TABLE
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.lists import ListState
from tonnage.partners.contract_lists import ContractRow, contract_picker
from tonnage.partners.lists import PARTNERS, every_partner, partner_rows
from tonnage.usage.lists import trends
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute
from tonnage.wording.catalogue import N_

PATH = "/distributor/partners"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

NO_CONTRACT = N_("You have no such contract. Choose one from the list.")

_MANY = 500
"""Partners. The months of more are added up after the page rather than before it: 100,000 take seconds."""


@routes.get("")
async def partners(page: DistributorViewer) -> Response:
    """With what they have in sum."""
    state = read_list_state(PARTNERS, page.request.query_params)
    scope = page.actor.organisation_id
    contracts = await page.database.run(contract_picker, scope)
    chosen = _chosen(contracts, state)
    shown = [chosen] if chosen else contracts
    many = sum(contract.partners for contract in shown) > _MANY

    async def read(conn: Connection) -> dict[str, Any]:
        found = await partner_rows(conn, scope, chosen.id if chosen else None, state)
        use = await trends(conn, scope, [row.id for row in found.rows], page.today)
        names_contract = chosen is None and len(contracts) > 1
        return {
            "list": PARTNERS_TABLE.paged(
                page, PATH, found, state, row_path=f"{PATH}/", trends=use, names_contract=names_contract
            ),
            "excess": None if many else await _excess(conn, page, chosen),
        }

    return page.render(
        "distributor/partners.html",
        contracts=contracts,
        choices=choices(page, contracts),
        chosen=chosen,
        shown=shown,
        may_change=page.actor.role.includes(Role.STAFF),
        **await page.database.run(read),
    )


@routes.get("/excess")
async def excess(page: DistributorViewer) -> Response:
    """The tile alone, for a list that did not wait for it."""
    state = read_list_state(PARTNERS, page.request.query_params)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> MonthToDateTotals:
        contracts = await contract_picker(conn, scope)
        return await _excess(conn, page, _chosen(contracts, state))

    return page.render("distributor/month_to_date.html", state=state, excess=await page.database.run(read))


@routes.get(".csv")
async def partners_file(page: DistributorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(PARTNERS, page.request.query_params)
    scope = page.actor.organisation_id
    chosen = _chosen(await page.database.run(contract_picker, scope), state)
    return await PARTNERS_TABLE.file(page, every_partner, scope, chosen.id if chosen else None, state)


def _chosen(contracts: Sequence[ContractRow], state: ListState) -> ContractRow | None:
    """None: all of them."""
    text = state.preserved.get("contract")
    found = next((contract for contract in contracts if str(contract.id) == text), None)
    if text and found is None:
        raise NotFound(NO_CONTRACT)
    return found


async def _excess(conn: Connection, page: PageRequest, chosen: ContractRow | None) -> MonthToDateTotals:
    scope = page.actor.organisation_id
    if chosen is None:
        return month_to_date_totals(await month_of_distributor(conn, scope, page.today))
    month = await month_of_contract(conn, scope, chosen.id, page.today)
    return month_to_date_totals([month] if month else [])
