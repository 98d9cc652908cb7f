"""What a partner pays, and what it charges its customers, each or all of them."""

from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.accounts.actions import account_number
from tonnage.console.accounts.scope import AccountContext
from tonnage.console.page_request import PageRequest, PartnerAdmin, PartnerViewer
from tonnage.console.partner.accounts import accounts_scope
from tonnage.console.prices.assignment import AssignmentPage, assignment_routes
from tonnage.console.prices.shown import shown
from tonnage.db import Connection
from tonnage.organisations.organisation import no_partner
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.price_books.assignment_lists import seller_of_partner
from tonnage.price_books.lists import price_sources
from tonnage.price_books.price_sources import AppliedPrices, applied_from
from tonnage.web.routing import AuthFirstRoute

PATH = "/partner/prices"

own = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@own.get("")
async def what_is_paid(page: PartnerViewer) -> Response:
    """The distributor's prices for it, and never what the distributor pays itself."""
    partner_id = page.actor.organisation_id

    async def read(conn: Connection) -> tuple[str, list[AppliedPrices]]:
        seller = await seller_of_partner(conn, partner_id)
        if seller is None:
            raise no_partner(partner_id)
        sources = await price_sources(conn, seller.id, contract_ids=[seller.contract_id], partner_ids=[partner_id])
        nearest = sources.of(partner_id, seller.contract_id)
        return seller.name, applied_from(nearest, sources.default, sources.versions, page.today)

    name, applied = await page.database.run(read)
    prices = [(None, shown(page, one)) for one in applied]
    return page.render("partner/prices.html", seller=name, applied=prices)


def _of_all(page: PageRequest) -> AssignmentPage:
    subject = Subject(SubjectKind.PARTNER, page.actor.organisation_id)
    return AssignmentPage(page, subject, f"{PATH}/accounts", partial(page.render, "partner/all_prices.html"))


async def _of_account(page: PageRequest, account: str) -> AssignmentPage:
    context = AccountContext(accounts_scope(page), account_number(account))
    render = partial(context.render, "partner/account_prices.html", await context.account())
    return AssignmentPage(page, Subject(SubjectKind.ACCOUNT, context.account_id), f"{context.path}/prices", render)


async def _all_for_viewer(page: PartnerViewer) -> AssignmentPage:
    return _of_all(page)


async def _all_for_admin(page: PartnerAdmin) -> AssignmentPage:
    return _of_all(page)


async def _account_for_viewer(page: PartnerViewer, accountID: str) -> AssignmentPage:
    return await _of_account(page, accountID)


async def _account_for_admin(page: PartnerAdmin, accountID: str) -> AssignmentPage:
    return await _of_account(page, accountID)


of_all = assignment_routes(f"{PATH}/accounts", reading=_all_for_viewer, changing=_all_for_admin)
of_account = assignment_routes(
    "/partner/accounts/{accountID}/prices", reading=_account_for_viewer, changing=_account_for_admin
)
