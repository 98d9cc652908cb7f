"""How much a partner has of its contract, and whether it may use more."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.page_request import DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.partners.actions import update_partner
from tonnage.partners.lists import PartnerDetail
from tonnage.partners.partner import PartnerChange
from tonnage.web.forms import Checkbox, Form, Size, bind, typed_size, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(
    prefix="/distributor/partners/{partnerID}/allocation", route_class=AuthFirstRoute, include_in_schema=False
)


class AllocationForm(Form):
    """Both are sent always."""

    allocated: Size
    overdraft: Checkbox = False


@routes.get("")
async def allocation(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """What there is, and what a change would mean."""
    facts = await page.database.run(lambda conn: facts_of(conn, page, partnerID))
    overdraft = {"overdraft": "on"} if facts.overdraft else {}
    form = unbound(AllocationForm, **typed_size("allocated", facts.allocated), **overdraft)
    return partner_page(page, "distributor/allocation.html", facts, form=form)


@routes.post("")
async def resize(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """At once, for the partner; its accounts' quotas follow."""
    facts = await page.database.run(lambda conn: facts_of(conn, page, partnerID))
    form = bind(AllocationForm, page.fields)
    done = await form.submit(lambda typed: _resize(page, facts, typed), about="allocated")
    if done is None:
        return partner_page(page, "distributor/allocation.html", facts, status=form.status, form=form)
    return page.redirect(path_of(partnerID), gettext("The allocation was changed."))


async def _resize(page: PageRequest, facts: PartnerDetail, typed: AllocationForm) -> bytes:
    # An overdraft that was never set says nothing in the API; a box that stays empty leaves it so.
    overdraft = typed.overdraft if typed.overdraft != facts.overdraft else None
    change = PartnerChange(None, typed.allocated, overdraft)
    return await page.database.run(lambda conn: update_partner(conn, page.actor, facts.id, change, page.now))
