"""A distributor's contracts."""

from collections.abc import AsyncGenerator, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import DistributorViewer
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.partners.contract_lists import CONTRACTS, contract_rows, every_contract
from tonnage.web.csv_file import CsvFile
from tonnage.web.list_state import read_list_state
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/distributor/contracts", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def contracts(page: DistributorViewer) -> Response:
    """Each leads to its partners."""
    state = read_list_state(CONTRACTS, page.request.query_params)
    scope = page.actor.organisation_id
    found = await page.database.run(contract_rows, scope, state)
    return page.render(
        "distributor/contracts.html", rows=found.rows, total=found.total, state=state.within(found.total)
    )


@routes.get(".csv")
async def contracts_file(page: DistributorViewer) -> Response:
    """The same list, whole."""
    state = read_list_state(CONTRACTS, page.request.query_params)
    scope = page.actor.organisation_id

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_contract(conn, scope, state):
            yield (
                *(row.details, row.reserved, row.allocated, row.remaining, row.used, row.partners),
                *(row.price_cents, row.currency, page.formats.date_of(row.created_at), row.id),
            )

    header = [
        gettext("Name"),
        gettext("Reserved bytes"),
        gettext("Allocated bytes"),
        gettext("Remaining bytes"),
        gettext("Used bytes"),
        gettext("Partners"),
        gettext("Cents per GB-month"),
        gettext("Currency"),
        gettext("Created"),
        gettext("Id"),
    ]
    return CsvFile(page.database.streams, scope, "contracts.csv", header, rows)
