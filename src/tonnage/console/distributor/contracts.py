"""A distributor's contracts."""

from collections.abc import AsyncGenerator, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorViewer
from tonnage.db import Connection
from tonnage.partners.contract_queries import CONTRACTS, contract_rows, every_contract
from tonnage.web.csv_file import CsvFile
from tonnage.web.route import Door

routes = APIRouter(prefix="/distributor/contracts", route_class=Door, include_in_schema=False)


@routes.get("")
async def contracts(visit: DistributorViewer) -> Response:
    """Each leads to its partners."""
    wanted = CONTRACTS.read(visit.request.query_params)
    scope = visit.actor.organisation_id
    found = await visit.database.run(lambda conn: contract_rows(conn, scope, wanted))
    return visit.page(
        "distributor/contracts.html", rows=found.rows, total=found.total, wanted=wanted.within(found.total)
    )


@routes.get(".csv")
async def contracts_file(visit: DistributorViewer) -> Response:
    """The same list, whole."""
    wanted = CONTRACTS.read(visit.request.query_params)
    scope = visit.actor.organisation_id

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_contract(conn, scope, wanted):
            yield (
                *(row.details, row.reserved, row.allocated, row.remaining, row.used, row.partners),
                *(row.price_cents, row.currency, visit.formats.date_of(row.created_at), row.id),
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
    return CsvFile(visit.database.streams, scope, "contracts.csv", header, rows)
