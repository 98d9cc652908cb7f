"""All partners, and one of them to look at."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actions import no_partner
from tonnage.console.ranges import read_range
from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorViewer
from tonnage.db import Connection
from tonnage.partners.contract_queries import ContractRow, one_contract
from tonnage.partners.distributor_queries import DistributorRow, one_distributor
from tonnage.partners.page_queries import PARTNERS, PartnerFacts, PartnerRow, every_partner, partner_facts, partner_rows
from tonnage.usage.month_queries import MonthSoFar, month_of_partner
from tonnage.usage.partner_queries import PartnerDay, daily_of_partner, mean
from tonnage.web.csv_file import CsvFile
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door
from tonnage.web.table import Listed, Wanted

PATH = "/operator/partners"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)

LISTED = replace(PARTNERS, keeps=("contract", "distributor"))
"""Of all, of one distributor or of one contract."""


def _chosen(wanted: Wanted, name: str) -> UUID | None:
    try:
        return UUID(wanted.kept.get(name, ""))
    except ValueError:
        return None


@routes.get("")
async def partners(visit: OperatorViewer) -> Response:
    """Of whom, the address says."""
    wanted = LISTED.read(visit.request.query_params)
    distributor, contract = _chosen(wanted, "distributor"), _chosen(wanted, "contract")

    async def read(conn: Connection) -> tuple[Listed[PartnerRow], DistributorRow | None, ContractRow | None]:
        return (
            await partner_rows(conn, distributor, contract, wanted),
            await one_distributor(conn, distributor) if distributor else None,
            await one_contract(conn, None, contract) if contract else None,
        )

    found, of_distributor, of_contract = await visit.database.run(read)
    return visit.page(
        "operator/partners.html",
        rows=found.rows,
        total=found.total,
        wanted=wanted.within(found.total),
        of_distributor=of_distributor,
        of_contract=of_contract,
    )


@routes.get(".csv")
async def partners_file(visit: OperatorViewer) -> Response:
    """The same list, whole."""
    wanted = LISTED.read(visit.request.query_params)
    distributor, contract = _chosen(wanted, "distributor"), _chosen(wanted, "contract")

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_partner(conn, distributor, contract, wanted):
            yield (
                *(row.name, row.distributor, row.contract, row.allocated, row.given, row.used, row.accounts),
                *(visit.formats.date_of(row.created_at), row.id),
            )

    header = [
        gettext("Name"),
        gettext("Distributor"),
        gettext("Contract"),
        gettext("Allocated bytes"),
        gettext("Given bytes"),
        gettext("Used bytes"),
        gettext("Storage accounts"),
        gettext("Created"),
        gettext("Id"),
    ]
    return CsvFile(visit.database.streams, visit.actor.organisation_id, "partners.csv", header, rows)


@routes.get("/{partnerID}")
async def partner(visit: OperatorViewer, partnerID: UuidPath) -> Response:
    """What it has and uses. Its distributor changes it."""
    shown = read_range(visit.request.query_params, visit.today)

    async def read(conn: Connection) -> tuple[PartnerFacts, list[PartnerDay], MonthSoFar | None]:
        facts = await partner_facts(conn, None, partnerID)
        if facts is None:
            raise no_partner(partnerID)
        days = await daily_of_partner(conn, None, partnerID, shown.period, visit.today)
        return facts, days, await month_of_partner(conn, None, partnerID, visit.today)

    facts, days, month = await visit.database.run(read)
    average = mean([day.usage for day in days])
    return visit.page("operator/partner.html", facts=facts, days=days, month=month, range=shown, average=average)


@routes.get("/{partnerID}/usage.csv")
async def usage_file(visit: OperatorViewer, partnerID: UuidPath) -> Response:
    """The same days, in order."""
    shown = read_range(visit.request.query_params, visit.today)
    if await visit.database.run(lambda conn: partner_facts(conn, None, partnerID)) is None:
        raise no_partner(partnerID)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        for day in await daily_of_partner(conn, None, partnerID, shown.period, visit.today):
            yield day

    header = [gettext("Day"), gettext("Used bytes"), gettext("Allocated bytes"), gettext("Excess bytes")]
    return CsvFile(
        visit.database.streams,
        visit.actor.organisation_id,
        f"usage-{partnerID}-{shown.period.first}-{shown.period.last}.csv",
        header,
        rows,
    )
