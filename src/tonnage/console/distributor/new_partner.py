"""Creating a partner."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.contract_picker import choices
from tonnage.console.page_request import DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.partners.actions import create_partner
from tonnage.partners.contract_lists import contract_picker
from tonnage.partners.partner import NewPartner
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, unbound
from tonnage.web.number_fields import Size
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, UuidBody

routes = APIRouter(prefix="/distributor/partners/new", route_class=AuthFirstRoute, include_in_schema=False)


class NewPartnerForm(Form):
    """The contract is chosen with the page, and sent along."""

    contract: UuidBody
    name: Name
    allocated: Size
    overdraft: Checkbox = False


@routes.get("")
async def new_partner(page: DistributorStaff) -> Response:
    """The empty form."""
    return await _page(page, unbound(NewPartnerForm, contract=page.request.query_params.get("contract", "")))


@routes.post("")
async def create(page: DistributorStaff) -> Response:
    """On to the new partner."""
    form = bind(NewPartnerForm, page.fields, page.formats.number_format)
    made = await form.submit(lambda values: _create(page, values), about="allocated")
    if made is None:
        return await _page(page, form)
    return page.redirect(f"/distributor/partners/{made}", gettext("Partner created"))


async def _create(page: PageRequest, values: NewPartnerForm) -> UUID:
    partner = NewPartner(values.contract, values.name, values.allocated, values.overdraft or None)
    made = await page.database.run(create_partner, page.actor, partner, page.business_now, limits=page.services.limits)
    return made.id


async def _page(page: PageRequest, form: BoundForm[NewPartnerForm]) -> Response:
    scope = page.actor.organisation_id
    contracts = await page.database.run(contract_picker, scope)
    first = contracts[0] if contracts else None
    chosen = next((contract for contract in contracts if str(contract.id) == form.raw.get("contract")), first)
    return page.render(
        "distributor/new_partner.html",
        status=form.status,
        form=form,
        contracts=contracts,
        chosen=chosen,
        choices=choices(page, contracts),
    )
