"""What a distributor pays for its contracts, and what it charges partners, each or all of a contract."""

from dataclasses import replace
from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.contracts import PATH as CONTRACTS_PATH
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorAdmin, DistributorViewer, PageRequest
from tonnage.console.prices.assignment import AssignmentPage, assignment_routes
from tonnage.console.prices.shown import ShownPrices, shown
from tonnage.contracts.contract import no_contract
from tonnage.db import Connection
from tonnage.organisations.queries import operator_id
from tonnage.partners.contract_lists import ContractRow, contract_picker, one_contract
from tonnage.price_books.assignment import Subject, SubjectKind, fitting
from tonnage.price_books.lists import price_sources
from tonnage.price_books.price_sources import PriceSources, applied_from
from tonnage.price_books.version import Prices
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

own = APIRouter(prefix="/distributor/prices", route_class=AuthFirstRoute, include_in_schema=False)


@own.get("")
async def what_is_paid(page: DistributorViewer) -> Response:
    """The operator's prices of each contract."""

    async def read(conn: Connection) -> tuple[list[ContractRow], PriceSources]:
        contracts = await contract_picker(conn, page.actor.organisation_id)
        seller = await operator_id(conn)
        return contracts, await price_sources(conn, seller, contract_ids=[one.id for one in contracts])

    contracts, sources = await page.database.run(read)
    return page.render(
        "distributor/prices.html",
        contracts=[(one, [(None, shown_of) for shown_of in _of_contract(page, one, sources)]) for one in contracts],
    )


def _of_contract(page: PageRequest, contract: ContractRow, sources: PriceSources) -> list[ShownPrices]:
    default = fitting(sources.default, contract.currency)
    applied = applied_from(sources.of(contract.id), default, sources.versions, page.today)
    # The excess price in the contract's terms always counts.
    priced = [replace(one, prices=replace(one.prices or Prices(), excess=contract.price_cents)) for one in applied]
    return [shown(page, one, contract.currency) for one in priced]


async def _of_partners(page: PageRequest, contract_id: UuidPath) -> AssignmentPage:
    found = await page.database.run(one_contract, page.actor.organisation_id, contract_id)
    if found is None:
        raise no_contract(contract_id)
    render = partial(page.render, "distributor/contract_prices.html", contract=found)
    path = f"{CONTRACTS_PATH}/{contract_id}/prices"
    return AssignmentPage(page, Subject(SubjectKind.CONTRACT, contract_id), path, render)


async def _of_partner(page: PageRequest, partner_id: UuidPath) -> AssignmentPage:
    facts = await page.database.run(facts_of, page, partner_id)
    render = partial(partner_page, page, "distributor/partner_prices.html", facts)
    return AssignmentPage(page, Subject(SubjectKind.PARTNER, partner_id), f"{path_of(partner_id)}/prices", render)


async def _contract_for_viewer(page: DistributorViewer, contractID: UuidPath) -> AssignmentPage:
    return await _of_partners(page, contractID)


async def _contract_for_admin(page: DistributorAdmin, contractID: UuidPath) -> AssignmentPage:
    return await _of_partners(page, contractID)


async def _partner_for_viewer(page: DistributorViewer, partnerID: UuidPath) -> AssignmentPage:
    return await _of_partner(page, partnerID)


async def _partner_for_admin(page: DistributorAdmin, partnerID: UuidPath) -> AssignmentPage:
    return await _of_partner(page, partnerID)


of_contract = assignment_routes(
    f"{CONTRACTS_PATH}/{{contractID}}/prices", reading=_contract_for_viewer, changing=_contract_for_admin
)
of_partner = assignment_routes(
    "/distributor/partners/{partnerID}/prices", reading=_partner_for_viewer, changing=_partner_for_admin
)
