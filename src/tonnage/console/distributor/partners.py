"""The list of partners, of one contract or of all."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.billing.lists import bought, sold
from tonnage.billing.month_net import Fees
from tonnage.console.distributor.contract_picker import MANY_PARTNERS, choices
from tonnage.console.fee_month import read_fee_list
from tonnage.console.page_request import DistributorViewer
from tonnage.console.tables.partners import OWN_PARTNERS_TABLE
from tonnage.db import Connection
from tonnage.errors import NotFound
from tonnage.lists import ListState
from tonnage.partners.contract_lists import ContractRow, contract_picker
from tonnage.partners.lists import OWN_PARTNERS, every_partner, partner_rows
from tonnage.usage.lists import trends
from tonnage.web.routing import AuthFirstRoute
from tonnage.wording.catalogue import N_

PATH = "/distributor/partners"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

NO_CONTRACT = N_("You have no such contract. Choose one from the list.")


@routes.get("")
async def partners(page: DistributorViewer) -> Response:
    """With what they have in sum."""
    state, month = read_fee_list(OWN_PARTNERS, page.request.query_params, page.today)
    scope = page.actor.organisation_id
    contracts = await page.database.run(contract_picker, scope)
    chosen = _chosen(contracts, state)
    contract_id, shown = chosen.id if chosen else None, [chosen] if chosen else contracts
    many = sum(contract.partners for contract in shown) > MANY_PARTNERS

    async def read(conn: Connection) -> dict[str, Any]:
        found = await partner_rows(conn, scope, contract_id, state, month.first)
        use = await trends(conn, scope, [row.id for row in found.rows], page.today)
        names_contract = chosen is None and len(contracts) > 1
        return {
            "list": OWN_PARTNERS_TABLE.of_month(page, month.first).paged(
                page, PATH, found, state, row_path=f"{PATH}/", trends=use, names_contract=names_contract
            ),
            "sold": None if many else await sold(conn, scope, Kind.DISTRIBUTOR, month.first, contract_id),
            "bought": await bought(conn, scope, month.first, contract_id),
        }

    return page.render(
        "distributor/partners.html",
        contracts=contracts,
        choices=choices(page, contracts),
        chosen=chosen,
        shown=shown,
        month=month,
        may_change=page.actor.role.includes(Role.STAFF),
        **await page.database.run(read),
    )


@routes.get("/fees")
async def fees(page: DistributorViewer) -> Response:
    """The tile alone, for a list that did not wait for it."""
    state, month = read_fee_list(OWN_PARTNERS, page.request.query_params, page.today)
    scope = page.actor.organisation_id

    async def read(conn: Connection) -> Fees:
        chosen = _chosen(await contract_picker(conn, scope), state)
        return await sold(conn, scope, Kind.DISTRIBUTOR, month.first, chosen.id if chosen else None)

    return page.render("distributor/fees.html", state=state, month=month, sold=await page.database.run(read))


@routes.get(".csv")
async def partners_file(page: DistributorViewer) -> Response:
    """The same list, whole."""
    state, month = read_fee_list(OWN_PARTNERS, page.request.query_params, page.today)
    scope = page.actor.organisation_id
    chosen = _chosen(await page.database.run(contract_picker, scope), state)
    table, contract_id = OWN_PARTNERS_TABLE.of_month(page, month.first), chosen.id if chosen else None
    return await table.file(page, every_partner, scope, contract_id, state, month.first)


def _chosen(contracts: Sequence[ContractRow], state: ListState) -> ContractRow | None:
    """None: all of them."""
    text = state.preserved.get("contract")
    found = next((contract for contract in contracts if str(contract.id) == text), None)
    if text and found is None:
        raise NotFound(NO_CONTRACT)
    return found
