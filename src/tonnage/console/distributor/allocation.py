"""How much a partner has of its contract, and whether it may use more."""

from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.edit_conflict import allowed, explain, size_or_pay_per_use
from tonnage.console.page_request import DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.web.edit_form import EditForm, bind_edit, unbound_edit
from tonnage.web.forms import Checkbox
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(
    prefix="/distributor/partners/{partnerID}/allocation", route_class=AuthFirstRoute, include_in_schema=False
)


class AllocationForm(EditForm):
    """What a partner has, and whether it may use more."""

    names: ClassVar = {"allocated": "allocatedCapacity", "overdraft": "allowOverdraft"}

    allocated: Size | None = None
    overdraft: Checkbox | None = None


@routes.get("")
async def allocation(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """What there is, and what a change would mean."""
    facts = await page.database.run(facts_of, page, partnerID)
    form = unbound_edit(AllocationForm, _texts(page, facts))
    return partner_page(page, "distributor/allocation.html", facts, form=form)


@routes.post("")
async def resize(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """At once, for the partner; its accounts' quotas follow."""
    form = bind_edit(AllocationForm, page.fields, page.formats.number_format)
    if await form.apply(lambda values, seen: _resize(page, partnerID, values, seen), about="allocated"):
        return page.redirect(path_of(partnerID), gettext("Allocation changed"))
    facts = await page.database.run(facts_of, page, partnerID)
    writers = {"allocated": size_or_pay_per_use, "overdraft": allowed}
    await explain(page, AllocationForm, form, _texts(page, facts), partnerID, writers)
    return partner_page(page, "distributor/allocation.html", facts, status=form.status, form=form)


async def _resize(page: PageRequest, partner_id: UUID, values: AllocationForm, seen: AllocationForm) -> object:
    # An overdraft that was never set says nothing in the API; a box that stays empty leaves it so.
    wanted, expected = (PartnerChange(None, form.allocated, form.overdraft) for form in (values, seen))
    return await page.database.run(update_partner, page.actor, partner_id, wanted, page.business_now, expected=expected)


def _texts(page: PageRequest, facts: PartnerDetail) -> dict[str, str]:
    """What stands in the form."""
    size = typed_size("allocated", facts.allocated, page.formats.number_format)
    return {**size, "overdraft": "on" if facts.overdraft else ""}
