"""Changing a webhook: its address, what it is for, and which events it gets."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.webhooks.endpoints import PATH, TYPE, WebhookForm, chosen_types, type_choices
from tonnage.errors import EditConflict, PreconditionFailed, Sentence
from tonnage.web.forms import BoundForm, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath
from tonnage.webhooks.actions import change_endpoint
from tonnage.webhooks.endpoint import EndpointChange, no_endpoint
from tonnage.webhooks.lists import EndpointRow, endpoint_row

routes = APIRouter(prefix=f"{PATH}/{{webhookID}}/settings", route_class=AuthFirstRoute, include_in_schema=False)

_REVISION = "revision"
"""The hidden field with the revision that the form was made from."""


@routes.get("")
async def show(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """The form as the webhook is."""
    row = await _found(page, webhookID)
    return _page(page, row, unbound(WebhookForm, **_texts(row)), row.revision)


@routes.post("")
async def change(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """Back to the webhook. A form that was made before another change shows what is there now beside what was typed."""
    form, revision = bind(WebhookForm, page.fields), _seen_revision(page)
    try:
        if await form.submit(lambda values: _change(page, webhookID, values, revision), about="url"):
            return page.redirect(f"{PATH}/{webhookID}", gettext("Changes saved"))
    except PreconditionFailed:
        row = await _found(page, webhookID)
        form.errors[""] = EditConflict()
        form.notes |= _present(row, form)
        return _page(page, row, form, row.revision)
    return _page(page, await _found(page, webhookID), form, revision)


async def _change(page: PageRequest, endpoint_id: UUID, values: WebhookForm, revision: int) -> bool:
    change = EndpointChange(values.url.strip(), values.description or "", chosen_types(page))
    await page.database.run(
        change_endpoint, page.services, page.actor, endpoint_id, change, page.wall_now, revision=revision
    )
    return True


def _seen_revision(page: PageRequest) -> int:
    """0 is never one."""
    given = page.fields.get(_REVISION, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


async def _found(page: PageRequest, endpoint_id: UUID) -> EndpointRow:
    row = await page.database.run(endpoint_row, page.actor.organisation_id, endpoint_id)
    if row is None:
        raise no_endpoint(endpoint_id)
    return row


def _texts(row: EndpointRow) -> dict[str, str]:
    return {"url": row.url, "description": row.description or "", **{f"{TYPE}{one}": "on" for one in row.types or ()}}


def _present(row: EndpointRow, form: BoundForm[WebhookForm]) -> dict[str, str]:
    """What is there now, where it is not what was typed."""
    present = {"url": row.url, "description": row.description or ""}
    return {
        name: Sentence("Now {now}.", now=text or "–")
        for name, text in present.items()
        if text != form.raw.get(name, "").strip()
    }


def _page(page: PageRequest, row: EndpointRow, form: BoundForm[WebhookForm], revision: int) -> Response:
    return page.render(
        "webhooks/settings.html",
        status=form.status,
        form=form,
        row=row,
        types=type_choices(page),
        prefix=TYPE,
        revision=revision,
    )
