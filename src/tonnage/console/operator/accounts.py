"""All storage accounts, and one of them to look at: its partner or its distributor changes it."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.queries import organisation_names
from tonnage.accounts.actions import no_account, number_of
from tonnage.accounts.page_queries import ACCOUNTS, AccountRow, account_rows, every_account
from tonnage.accounts.queries import owner_of
from tonnage.console.accounts import detail
from tonnage.console.accounts.place import Holding, Place
from tonnage.console.rendering import gettext
from tonnage.console.visit import OperatorViewer, Visit
from tonnage.db import Connection
from tonnage.web.csv_file import CsvFile
from tonnage.web.route import Door
from tonnage.web.table import Listed, Wanted

PATH = "/operator/accounts"

routes = APIRouter(prefix=PATH, route_class=Door, include_in_schema=False)


def _partner(wanted: Wanted) -> UUID | None:
    try:
        return UUID(wanted.kept.get("partner", ""))
    except ValueError:
        return None


@routes.get("")
async def accounts(visit: OperatorViewer) -> Response:
    """Of all partners, or of the one that the address names."""
    wanted = ACCOUNTS.read(visit.request.query_params)
    partner = _partner(wanted)

    async def read(conn: Connection) -> tuple[Listed[AccountRow], dict[str, str]]:
        names = await organisation_names(conn, [str(partner)]) if partner else {}
        return await account_rows(conn, None, partner, wanted), names

    found, names = await visit.database.run(read)
    return visit.page(
        "operator/accounts.html",
        rows=found.rows,
        total=found.total,
        wanted=wanted.within(found.total),
        partner=names.get(str(partner)),
    )


@routes.get(".csv")
async def accounts_file(visit: OperatorViewer) -> Response:
    """The same list, whole."""
    wanted = ACCOUNTS.read(visit.request.query_params)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async for row in every_account(conn, None, _partner(wanted), wanted):
            yield (
                *(row.name, row.contact_email, row.id, row.partner, row.distributor, row.region, row.allocated),
                *(row.used, row.objects, visit.formats.date_of(row.created_at)),
                *(row.pending_deleted_at and visit.formats.date_of(row.pending_deleted_at), row.provisioning),
            )

    header = [
        gettext("Company"),
        gettext("Contact e-mail"),
        gettext("Number"),
        gettext("Partner"),
        gettext("Distributor"),
        gettext("Region"),
        gettext("Allocated bytes"),
        gettext("Used bytes"),
        gettext("Objects"),
        gettext("Created"),
        gettext("Deleted on"),
        gettext("Storage cluster"),
    ]
    return CsvFile(visit.database.streams, visit.actor.organisation_id, "storage-accounts.csv", header, rows)


@routes.get("/{accountID}")
async def account(visit: OperatorViewer, accountID: str) -> Response:
    """Its use and its facts."""
    return await detail.show(await _place(visit, accountID))


@routes.get("/{accountID}/usage.csv")
async def usage_file(visit: OperatorViewer, accountID: str) -> Response:
    """The same days, in order."""
    return await detail.days_file(await _place(visit, accountID))


async def _place(visit: Visit, account: str) -> Place:
    number = number_of(account)
    partner = await visit.database.run(lambda conn: owner_of(conn, number))
    if partner is None:
        raise no_account(number)
    return Place(
        Holding(
            visit,
            partner,
            PATH,
            lambda name: [(gettext("Storage accounts"), PATH), (name, f"/operator/partners/{partner}")],
        ),
        number,
    )
