"""A partner's storage accounts, and all about each of them, for its distributor.

Its viewers see the list, but none of them closer: that is so for the partner's own viewers, too.
"""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import number_of
from tonnage.accounts.page_queries import AccountRow, account_rows
from tonnage.console.accounts import creation
from tonnage.console.accounts.listing import LISTED, accounts_file
from tonnage.console.accounts.place import Crumbs, Holding, Place
from tonnage.console.accounts.routes import account_routes
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorAdmin, DistributorStaff, DistributorViewer, Visit
from tonnage.db import Connection
from tonnage.partners.page_queries import PartnerFacts
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door
from tonnage.web.table import Listed

_PREFIX = "/distributor/partners/{partnerID}/accounts"

routes = APIRouter(prefix=_PREFIX, route_class=Door, include_in_schema=False)


def _holding(visit: Visit, partner_id: UUID) -> Holding:
    path = f"{path_of(partner_id)}/accounts"

    def crumbs(partner: str) -> Crumbs:
        return [
            (gettext("Partners"), "/distributor/partners"),
            (partner, path_of(partner_id)),
            (gettext("Storage accounts"), path),
        ]

    return Holding(visit, partner_id, path, crumbs)


async def _for_staff(visit: DistributorStaff, partnerID: UuidPath, accountID: str) -> Place:
    return Place(_holding(visit, partnerID), number_of(accountID))


async def _for_admin(visit: DistributorAdmin, partnerID: UuidPath, accountID: str) -> Place:
    return Place(_holding(visit, partnerID), number_of(accountID))


account = account_routes(f"{_PREFIX}/{{accountID}}", reading=_for_staff, changing=_for_staff, deleting=_for_admin)
"""One of them."""


@routes.get("")
async def accounts(visit: DistributorViewer, partnerID: UuidPath) -> Response:
    """Those waiting for their deletion included."""
    wanted = LISTED.read(visit.request.query_params)
    scope = visit.actor.organisation_id

    async def read(conn: Connection) -> tuple[PartnerFacts, Listed[AccountRow]]:
        return await facts_of(conn, visit, partnerID), await account_rows(conn, scope, partnerID, wanted)

    facts, found = await visit.database.run(read)
    return partner_page(
        visit,
        "distributor/accounts.html",
        facts,
        rows=found.rows,
        total=found.total,
        wanted=wanted.within(found.total),
    )


@routes.get(".csv")
async def accounts_as_file(visit: DistributorViewer, partnerID: UuidPath) -> Response:
    """The same list, whole."""
    await visit.database.run(lambda conn: facts_of(conn, visit, partnerID))
    return accounts_file(_holding(visit, partnerID))


@routes.get("/new")
async def new_account(visit: DistributorStaff, partnerID: UuidPath) -> Response:
    """The empty form."""
    return await creation.ask(_holding(visit, partnerID))


@routes.post("/new")
async def create_account(visit: DistributorStaff, partnerID: UuidPath) -> Response:
    """On to the new account."""
    return await creation.create(_holding(visit, partnerID))
