"""What has reached an alert level, and the levels."""

import re
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.alerts.actions import inherit_levels, set_levels
from tonnage.alerts.alert_level import MOST_LEVELS
from tonnage.alerts.lists import alert_rows
from tonnage.alerts.queries import levels_of
from tonnage.console.page_request import AnyAdmin, AnyMember, PageRequest, PartnerAdmin
from tonnage.console.rendering import gettext
from tonnage.contact_mails.actions import set_contact_mails
from tonnage.contact_mails.queries import is_enabled
from tonnage.errors import Invalid
from tonnage.notifications.notification import page_of
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

PATH = "/alerts"
_SHOWN = 50

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)
of_partners = APIRouter(prefix="/partner", route_class=AuthFirstRoute, include_in_schema=False)
"""What only partners set on this page."""


class LevelsForm(Form):
    """Percentages, separated by commas."""

    levels: Text


@routes.get("")
async def show(page: AnyMember, before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None) -> Response:
    """The newest ones first."""
    return await _page(page, None, before)


@routes.post("")
async def change(page: AnyAdmin) -> Response:
    """Sets the levels."""
    form = bind(LevelsForm, page.fields)
    if await form.submit(lambda values: _change(page, values)):
        return page.redirect(PATH, gettext("Alert levels saved"))
    return await _page(page, form, None)


@routes.post("/inherited")
async def inherit(page: AnyAdmin) -> Response:
    """Those that are set above count again."""
    await page.database.transaction(inherit_levels, page.actor)
    return page.redirect(PATH, gettext("Alert levels saved"))


@of_partners.post("/contact-mails")
async def mail_contacts(page: PartnerAdmin) -> Response:
    """Whether the contacts of the partner's storage accounts are mailed."""
    enabled = page.fields.get("enabled") == "yes"
    await page.database.transaction(set_contact_mails, page.actor, enabled=enabled)
    said = gettext("Contacts are mailed") if enabled else gettext("Contacts are not mailed")
    return page.redirect(f"{PATH}#contacts", said)


async def _change(page: PageRequest, values: LevelsForm) -> bool:
    texts = [text.strip().removesuffix("%").strip() for text in values.levels.split(",")]
    if not all(re.fullmatch(r"\d{1,3}", text, re.ASCII) for text in texts):
        raise Invalid.field("levels", "write percentages with commas between them, such as 50, 80, 90, 100")
    await page.database.transaction(set_levels, page.actor, [int(text) for text in texts])
    return True


async def _page(page: PageRequest, form: BoundForm[LevelsForm] | None, before: int | None) -> Response:
    present = await page.database.run(levels_of, page.actor.organisation_id)
    found = await page.database.run(alert_rows, page.actor.scope, before, _SHOWN + 1)
    shown = found[:_SHOWN]
    audience = page.actor.kind
    return page.render(
        "notifications/alerts.html",
        status=form.status if form else 200,
        form=form or unbound(LevelsForm),
        levels=present,
        may_change=page.actor.role.includes(Role.ADMIN),
        most_levels=MOST_LEVELS,
        mails_contacts=await page.database.run(is_enabled, page.actor.organisation_id)
        if audience is Kind.PARTNER
        else None,
        rows=[(row, page_of(audience, row.subject, row.subject_id, str(row.organisation_id))) for row in shown],
        older=shown[-1].seq if len(found) > _SHOWN else None,
    )
