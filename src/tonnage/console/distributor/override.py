"""The timed override of a partner: more capacity out of its contract until a day."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console import override_form
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.distributor.partner import crumbs_to, facts_of, partner_page, path_of
from tonnage.console.override_form import OverrideForm
from tonnage.console.page_request import DistributorStaff, PageRequest
from tonnage.console.rendering import gettext
from tonnage.db import Connection
from tonnage.overrides.actions import end_of_partner, grant_to_partner
from tonnage.overrides.queries import PresentOverride, override_of_partner
from tonnage.partners.partner_queries import PartnerDetail
from tonnage.utc import last_day_before
from tonnage.web.forms import BoundForm
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

routes = APIRouter(
    prefix="/distributor/partners/{partnerID}/override", route_class=AuthFirstRoute, include_in_schema=False
)


@routes.get("")
async def show(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """The form, with the override that runs."""
    return await _page(page, partnerID, None)


@routes.post("")
async def grant(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """At once, for the partner; its accounts' quotas follow."""
    form = override_form.bound(page)

    async def act(values: OverrideForm) -> object:
        return await page.database.run(
            grant_to_partner,
            page.actor,
            partnerID,
            values.override,
            page.business_now,
            expected=override_form.seen(page),
        )

    await form.submit(act, about="capacity")
    if form.errors:
        return await _page(page, partnerID, form)
    return page.redirect(path_of(partnerID), gettext("Override granted"))


async def _page(page: PageRequest, partner_id: UUID, form: BoundForm[OverrideForm] | None) -> Response:
    facts, present = await page.database.run(_found, page, partner_id)
    return partner_page(
        page,
        "distributor/override.html",
        facts,
        status=form.status if form else 200,
        form=form or override_form.filled(page, present),
        **override_form.of_page(page, present),
    )


async def _found(conn: Connection, page: PageRequest, partner_id: UUID) -> tuple[PartnerDetail, PresentOverride | None]:
    facts = await facts_of(conn, page, partner_id)
    return facts, await override_of_partner(conn, page.actor.organisation_id, partner_id)


@routes.get("/end")
@routes.post("/end")
async def end(page: DistributorStaff, partnerID: UuidPath) -> Response:
    """Ends it before its last day."""

    async def ask() -> Confirmation | None:
        facts, present = await page.database.run(_found, page, partnerID)
        return None if present is None else _question(page, facts, present)

    async def act() -> None:
        await page.database.run(
            end_of_partner, page.actor, partnerID, page.business_now, expected=override_form.seen(page)
        )

    return await confirm(page, ask, act, done=path_of(partnerID), notice=gettext("Override ended"))


def _question(page: PageRequest, facts: PartnerDetail, present: PresentOverride) -> Confirmation:
    last, allocated = page.formats.day(last_day_before(present.valid_until)), page.formats.size(facts.allocated)
    return Confirmation(
        title=gettext("End the override of %(partner)s") % {"partner": facts.name},
        crumbs=crumbs_to(facts),
        sentences=[
            gettext("The override of %(capacity)s until %(last)s ends now; the allocation of %(allocated)s counts.")
            % {"capacity": page.formats.size(present.capacity), "last": last, "allocated": allocated},
            gettext("Nothing is deleted. Storage accounts that share the allocation may not be able to write."),
        ],
        button=gettext("End override"),
        danger=True,
        cancel=path_of(facts.id),
        hidden=override_form.hidden(present),
    )
