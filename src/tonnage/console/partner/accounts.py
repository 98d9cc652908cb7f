"""The partner's storage accounts."""

from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actions import no_partner
from tonnage.access.actor import Role
from tonnage.accounts.page_queries import AccountRow, account_rows
from tonnage.console.accounts import creation
from tonnage.console.accounts.listing import LISTED, accounts_file
from tonnage.console.accounts.place import Holding
from tonnage.console.ranges import read_range
from tonnage.console.rendering import gettext
from tonnage.console.visit import PartnerStaff, PartnerViewer, Visit
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerTotals, partner_totals
from tonnage.usage.partner_queries import average_used
from tonnage.web.route import Door
from tonnage.web.table import Listed

_PATH = "/partner/accounts"

routes = APIRouter(prefix=_PATH, route_class=Door, include_in_schema=False)


def holding(visit: Visit) -> Holding:
    """All of the partner's accounts."""
    return Holding(visit, visit.actor.organisation_id, _PATH, lambda _: [(gettext("Storage accounts"), _PATH)])


@routes.get("")
async def accounts(visit: PartnerViewer) -> Response:
    """What they have and use, and the list."""
    partner = visit.actor.organisation_id
    today = visit.now.date()
    chosen = read_range(visit.request.query_params, today)
    wanted = LISTED.read(visit.request.query_params)

    async def read(conn: Connection) -> tuple[PartnerTotals | None, Listed[AccountRow], Decimal | None]:
        return (
            await partner_totals(conn, partner, partner),
            await account_rows(conn, partner, partner, wanted),
            await average_used(conn, partner, partner, chosen.period, today),
        )

    totals, found, average = await visit.database.run(read)
    if totals is None:
        raise no_partner(partner)
    return visit.page(
        "partner/accounts.html",
        totals=totals,
        average=average,
        range=chosen,
        rows=found.rows,
        total=found.total,
        wanted=wanted.within(found.total),
        may_change=visit.actor.role.includes(Role.STAFF),
    )


@routes.get(".csv")
async def accounts_as_file(visit: PartnerViewer) -> Response:
    """The same list, whole."""
    return accounts_file(holding(visit))


@routes.get("/new")
async def new_account(visit: PartnerStaff) -> Response:
    """The empty form."""
    return await creation.ask(holding(visit))


@routes.post("/new")
async def create_account(visit: PartnerStaff) -> Response:
    """On to the new account."""
    return await creation.create(holding(visit))
