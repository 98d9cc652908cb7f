"""How much a partner has of its contract, and whether it may use more."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.rendering import gettext
from tonnage.console.visit import DistributorStaff, Visit
from tonnage.partners.actions import update_partner
from tonnage.partners.page_queries import PartnerFacts
from tonnage.partners.partner import PartnerChange
from tonnage.web.forms import Checkbox, Form, Size, blank, fill, typed_size
from tonnage.web.payload import UuidPath
from tonnage.web.route import Door

routes = APIRouter(prefix="/distributor/partners/{partnerID}/allocation", route_class=Door, include_in_schema=False)


class AllocationForm(Form):
    """Both are sent always."""

    allocated: Size
    overdraft: Checkbox = False


@routes.get("")
async def allocation(visit: DistributorStaff, partnerID: UuidPath) -> Response:
    """What there is, and what a change would mean."""
    facts = await visit.database.run(lambda conn: facts_of(conn, visit, partnerID))
    overdraft = {"overdraft": "on"} if facts.overdraft else {}
    form = blank(AllocationForm, **typed_size("allocated", facts.allocated), **overdraft)
    return partner_page(visit, "distributor/allocation.html", facts, form=form)


@routes.post("")
async def resize(visit: DistributorStaff, partnerID: UuidPath) -> Response:
    """At once, for the partner; its accounts' quotas follow."""
    facts = await visit.database.run(lambda conn: facts_of(conn, visit, partnerID))
    form = fill(AllocationForm, visit.fields)
    done = await form.submit(lambda typed: _resize(visit, facts, typed), about="allocated")
    if done is None:
        return partner_page(visit, "distributor/allocation.html", facts, status=form.status, form=form)
    return visit.see(path_of(partnerID), gettext("The allocation was changed."))


async def _resize(visit: Visit, facts: PartnerFacts, typed: AllocationForm) -> bytes:
    # An overdraft that was never set says nothing in the API; a box that stays empty leaves it so.
    overdraft = typed.overdraft if typed.overdraft != facts.overdraft else None
    change = PartnerChange(None, typed.allocated, overdraft)
    return await visit.database.run(lambda conn: update_partner(conn, visit.actor, facts.id, change, visit.now))
