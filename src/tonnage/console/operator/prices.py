"""What a distributor pays for a contract."""

from functools import partial

from tonnage.console.operator.contracts import PATH
from tonnage.console.page_request import OperatorAdmin, OperatorViewer, PageRequest
from tonnage.console.prices.assignment import AssignmentPage, assignment_routes
from tonnage.contracts.contract import no_contract
from tonnage.partners.contract_lists import one_contract
from tonnage.price_books.assignment import Subject, SubjectKind
from tonnage.web.schemas import UuidPath


async def _assigned(page: PageRequest, contract_id: UuidPath) -> AssignmentPage:
    found = await page.database.run(one_contract, None, contract_id)
    if found is None:
        raise no_contract(contract_id)
    render = partial(page.render, "operator/contract_prices.html", contract=found)
    return AssignmentPage(page, Subject(SubjectKind.CONTRACT, contract_id), f"{PATH}/{contract_id}/prices", render)


async def _for_viewer(page: OperatorViewer, contractID: UuidPath) -> AssignmentPage:
    return await _assigned(page, contractID)


async def _for_admin(page: OperatorAdmin, contractID: UuidPath) -> AssignmentPage:
    return await _assigned(page, contractID)


routes = assignment_routes(f"{PATH}/{{contractID}}/prices", reading=_for_viewer, changing=_for_admin)
