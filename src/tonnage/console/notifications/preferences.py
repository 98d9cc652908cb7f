"""What a member is mailed, and how."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import create_model
from starlette.responses import Response

from tonnage.access.actor import Kind
from tonnage.console.edit_conflict import explain
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.notifications.actions import change_preferences
from tonnage.notifications.notification_kind import Delivery, kinds_for
from tonnage.notifications.queries import preferences
from tonnage.web.edit_form import BoundEdit, EditForm, bind_edit, unbound_edit
from tonnage.web.routing import AuthFirstRoute
from tonnage.wording.catalogue import N_

PATH = "/profile/notifications"

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)

_LABELS = {
    Delivery.AT_ONCE: N_("At once, at most one mail an hour"),
    Delivery.DAILY: N_("Every morning"),
    Delivery.WEEKLY: N_("Every Monday morning"),
    Delivery.NONE: N_("No mail"),
}


def _form_of(kind: Kind) -> type[EditForm]:
    fields: dict[str, Any] = {one.name: (Delivery | None, None) for one in kinds_for(kind)}
    return create_model(f"{kind.title()}PreferencesForm", __base__=EditForm, **fields)


_FORMS: Mapping[Kind, type[EditForm]] = {kind: _form_of(kind) for kind in Kind}
"""A field for each kind of notifications."""


@routes.get("")
async def show(page: AnyMember) -> Response:
    """The form."""
    return _page(page, unbound_edit(_FORMS[page.actor.kind], await _texts(page)))


@routes.post("")
async def change(page: AnyMember) -> Response:
    """The same page."""
    kind = _FORMS[page.actor.kind]
    form = bind_edit(kind, page.fields)
    if await form.apply(lambda values, seen: _change(page, values, seen)):
        return page.redirect(PATH, gettext("Changes saved"))

    def label_of(delivery: Delivery) -> str:
        return gettext(_LABELS[delivery])

    writers = dict.fromkeys(kind.model_fields, label_of)
    by = gettext("you in another window")
    await explain(page, kind, form, await _texts(page), page.visitor.member_id, writers, by=by)
    return _page(page, form)


async def _change(page: PageRequest, values: EditForm, seen: EditForm) -> bool:
    chosen, expected = (form.model_dump(exclude_none=True) for form in (values, seen))
    await page.database.transaction(change_preferences, page.actor, chosen, expected)
    return True


async def _texts(page: PageRequest) -> dict[str, str]:
    present = await page.database.run(preferences, page.visitor.member_id)
    return {one.kind: str(one.delivery) for one in present}


def _page(page: PageRequest, form: BoundEdit[EditForm]) -> Response:
    return page.render(
        "notifications/preferences.html",
        status=form.status,
        form=form,
        kinds=[(kind.name, gettext(kind.label)) for kind in kinds_for(page.actor.kind)],
        deliveries=[(str(delivery), gettext(label)) for delivery, label in _LABELS.items()],
    )
