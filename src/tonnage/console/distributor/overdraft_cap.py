"""The cap of a partner's overdraft or pay-per-use, of all its storage accounts together."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console import overdraft_cap_form
from tonnage.console.distributor.partner import facts_of, partner_page, path_of
from tonnage.console.overdraft_cap_form import OverdraftCapForm
from tonnage.console.page_request import DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.overdraft_caps.actions import cap_of_partner, remove_of_partner, set_of_partner
from tonnage.overdraft_caps.queries import PresentCap
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.web.forms import BoundForm
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(
    prefix="/distributor/partners/{partnerID}/overdraft-cap", route_class=AuthFirstRoute, include_in_schema=False
)


@routes.get("")
async def show(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """The form, with the cap that there is."""
    return await _page(page, partnerID, None)


@routes.post("")
async def change(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """At once, for the partner; its accounts' quotas follow."""
    form = overdraft_cap_form.bound(page)

    async def act(values: OverdraftCapForm) -> object:
        run, actor, seen = page.database.run, page.actor, overdraft_cap_form.seen(page)
        if (cap := values.cap) is None:
            return await run(remove_of_partner, actor, partnerID, expected=seen)
        return await run(set_of_partner, actor, partnerID, cap, page.business_now, expected=seen)

    await form.submit(act, about="limit", fields=overdraft_cap_form.FIELDS)
    if form.errors:
        return await _page(page, partnerID, form)
    return page.redirect(path_of(partnerID), gettext("Changes saved"))


async def _page(page: PageRequest, partner_id: UUID, form: BoundForm[OverdraftCapForm] | None) -> Response:
    async def read(conn: Connection) -> tuple[PartnerDetail, PresentCap]:
        facts = await facts_of(conn, page, partner_id)
        return facts, await cap_of_partner(conn, page.actor, partner_id)

    facts, present = await page.database.run(read)
    return partner_page(
        page,
        "distributor/overdraft_cap.html",
        facts,
        status=form.status if form else 200,
        form=form or overdraft_cap_form.filled(page, present.cap),
        seen=present.seen,
        units=overdraft_cap_form.units(pay_per_use=facts.allocated == 0),
    )
