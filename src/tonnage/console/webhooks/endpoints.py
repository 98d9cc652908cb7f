"""The list of webhooks, and new ones."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.events.registry import types_for
from tonnage.web.forms import Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Name, Text
from tonnage.webhooks.actions import WithSecret, create_endpoint
from tonnage.webhooks.endpoint import MOST_ENDPOINTS, EndpointChange
from tonnage.webhooks.lists import endpoint_rows

PATH = "/webhooks"
TYPE = "type."
"""What the names of the checkboxes of types begin with."""

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


class WebhookForm(Form):
    """What people say of a webhook. The types are checkboxes: none is all."""

    url: Text
    description: Name | None = None


@routes.get("")
async def show(page: AnyAdmin) -> Response:
    """All of them."""
    rows = await page.database.run(endpoint_rows, page.actor.organisation_id)
    return page.render("webhooks/list.html", rows=rows, may_create=len(rows) < MOST_ENDPOINTS)


@routes.get("/new")
@routes.post("/new")
async def new(page: AnyAdmin) -> Response:
    """The form; and the answer to it, which alone shows the secret."""
    form = unbound(WebhookForm)
    if page.request.method == "POST":
        form = bind(WebhookForm, page.fields)
        made = await form.submit(lambda values: _create(page, values), about="url")
        if made:
            return page.render(
                "webhooks/secret.html", secret=made.secret, path=f"{PATH}/{made.id}", title=gettext("Webhook created")
            )
    return page.render("webhooks/new.html", status=form.status, form=form, types=type_choices(page), prefix=TYPE)


def type_choices(page: PageRequest) -> list[tuple[str | None, str]]:
    """The events that the reader's organisation can see, with their labels."""
    return [(event.type, gettext(event.label)) for event in types_for(page.actor.kind)]


def chosen_types(page: PageRequest) -> tuple[str, ...]:
    """Those whose boxes are ticked."""
    return tuple(name.removeprefix(TYPE) for name in page.fields if name.startswith(TYPE))


async def _create(page: PageRequest, values: WebhookForm) -> WithSecret:
    change = EndpointChange(values.url.strip(), values.description or "", chosen_types(page))
    return await page.database.transaction(create_endpoint, page.services, page.actor, change, page.wall_now)
