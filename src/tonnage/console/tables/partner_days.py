"""A partner's days of use as a file: for the partner, its distributor and the operator."""

from collections.abc import AsyncGenerator
from uuid import UUID

from tonnage.console.page_request import PageRequest
from tonnage.console.tables.table import Column, csv_file
from tonnage.db import Connection
from tonnage.usage.lists import PartnerDay, daily_of_partner
from tonnage.usage.period import Period
from tonnage.web.csv_file import CsvFile
from tonnage.wording.catalogue import N_

_COLUMNS = (
    Column("day", file=N_("Day")),
    Column("usage", file=N_("Used bytes")),
    Column("allocated", file=N_("Allocated bytes")),
    Column("excess", file=N_("Excess bytes")),
)


async def partner_days_file(page: PageRequest, scope: UUID | None, partner_id: UUID, period: Period) -> CsvFile:
    """In order. `scope` None is the operator."""

    async def rows(conn: Connection) -> AsyncGenerator[PartnerDay]:
        for day in await daily_of_partner(conn, scope, partner_id, period, page.today):
            yield day

    return await csv_file(page, f"usage-{partner_id}-{period.first}-{period.last}.csv", _COLUMNS, rows)
