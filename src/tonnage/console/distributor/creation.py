"""Creating a partner."""

import json

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.contract_choice import choices
from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorStaff, Visit
from tonnage.partners.actions import create_partner
from tonnage.partners.contract_queries import contract_picker
from tonnage.partners.partner import NewPartner
from tonnage.web.forms import Checkbox, Filled, Form, Size, blank, fill
from tonnage.web.payload import Name, UuidBody
from tonnage.web.route import Door

routes = APIRouter(prefix="/distributor/partners/new", route_class=Door, include_in_schema=False)


class NewPartnerForm(Form):
    """The contract is chosen with the page, and sent along."""

    contract: UuidBody
    name: Name
    allocated: Size
    overdraft: Checkbox = False


@routes.get("")
async def new_partner(visit: DistributorStaff) -> Response:
    """The empty form."""
    return await _page(visit, blank(NewPartnerForm, contract=visit.request.query_params.get("contract", "")))


@routes.post("")
async def create(visit: DistributorStaff) -> Response:
    """On to the new partner."""
    form = fill(NewPartnerForm, visit.fields)
    made = await form.submit(lambda typed: _create(visit, typed), about="allocated")
    if made is None:
        return await _page(visit, form, form.status)
    return visit.see(f"/distributor/partners/{made}", gettext("The partner was created."))


async def _create(visit: Visit, typed: NewPartnerForm) -> str:
    partner = NewPartner(typed.contract, typed.name, typed.allocated, typed.overdraft or None)
    made = await visit.database.run(lambda conn: create_partner(conn, visit.actor, partner, visit.now))
    return json.loads(made)["id"]


async def _page(visit: Visit, form: Filled[NewPartnerForm], status: int = 200) -> Response:
    scope = visit.actor.organisation_id
    contracts = await visit.database.run(lambda conn: contract_picker(conn, scope))
    first = contracts[0] if contracts else None
    chosen = next((contract for contract in contracts if str(contract.id) == form.typed.get("contract")), first)
    return visit.page(
        "distributor/creation.html",
        status=status,
        form=form,
        contracts=contracts,
        chosen=chosen,
        choices=choices(visit, contracts),
    )
