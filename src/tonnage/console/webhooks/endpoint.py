"""One webhook: its state, its secrets and its log."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.page_request import AnyAdmin, PageRequest
from tonnage.console.rendering import gettext
from tonnage.console.webhooks.endpoints import PATH
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath
from tonnage.webhooks import actions
from tonnage.webhooks.endpoint import MOST_SECRETS, EndpointChange, no_endpoint, read_delivery_id
from tonnage.webhooks.lists import EndpointRow, delivery_rows, endpoint_row, secret_rows

_SHOWN = 50

routes = APIRouter(prefix=f"{PATH}/{{webhookID}}", route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def show(
    page: AnyAdmin, webhookID: UuidPath, before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Response:
    """With the newest deliveries, or those before one."""
    row = await _found(page, webhookID)
    found = await page.database.run(delivery_rows, webhookID, before, _SHOWN + 1)
    return page.render(
        "webhooks/endpoint.html",
        row=row,
        path=f"{PATH}/{webhookID}",
        secrets=await page.database.run(secret_rows, webhookID),
        most_secrets=MOST_SECRETS,
        deliveries=found[:_SHOWN],
        older=found[_SHOWN - 1].id if len(found) > _SHOWN else None,
    )


async def _found(page: PageRequest, endpoint_id: UUID) -> EndpointRow:
    row = await page.database.run(endpoint_row, page.actor.organisation_id, endpoint_id)
    if row is None:
        raise no_endpoint(endpoint_id)
    return row


@routes.post("/test")
async def test(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """Sends a test event."""
    await page.database.transaction(actions.send_test, page.actor, webhookID, page.wall_now)
    return page.redirect(f"{PATH}/{webhookID}", gettext("Test event queued: reload the page in a few seconds"))


@routes.post("/enable")
async def enable(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """Sends events again."""
    return await _switch(page, webhookID, on=True, notice=gettext("Webhook enabled"))


@routes.post("/disable")
async def disable(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """Sends no more events."""
    return await _switch(page, webhookID, on=False, notice=gettext("Webhook disabled"))


async def _switch(page: PageRequest, endpoint_id: UUID, *, on: bool, notice: str) -> Response:
    change = EndpointChange(enabled=on)
    await page.database.run(actions.change_endpoint, page.services, page.actor, endpoint_id, change, page.wall_now)
    return page.redirect(f"{PATH}/{endpoint_id}", notice)


@routes.post("/secrets/new")
async def new_secret(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """The answer alone shows the secret."""
    made = await page.database.transaction(actions.add_secret, page.services, page.actor, webhookID, page.wall_now)
    return page.render(
        "webhooks/secret.html", secret=made.secret, path=f"{PATH}/{webhookID}", title=gettext("Secret created")
    )


@routes.get("/secrets/{secretID}/revocation")
@routes.post("/secrets/{secretID}/revocation")
async def revocation(page: AnyAdmin, webhookID: UuidPath, secretID: UuidPath) -> Response:
    """Asks before one of two secrets ends."""
    row = await _found(page, webhookID)
    path = f"{PATH}/{webhookID}"

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("Revoke secret"),
            crumbs=_crumbs(row),
            sentences=[
                gettext(
                    "Messages are signed with the other secret alone. Receivers that only know this one refuse them."
                )
            ],
            button=gettext("Revoke secret"),
            danger=True,
            cancel=path,
        )

    async def act() -> None:
        await page.database.transaction(actions.revoke_secret, page.actor, webhookID, secretID)

    return await confirm(page, ask, act, done=path, notice=gettext("Secret revoked"))


@routes.post("/deliveries/{deliveryID}/replay")
async def replay(page: AnyAdmin, webhookID: UuidPath, deliveryID: str) -> Response:
    """Sends one event again."""
    number = read_delivery_id(deliveryID)
    await page.database.transaction(actions.replay, page.actor, webhookID, page.wall_now, delivery_id=number)
    return page.redirect(f"{PATH}/{webhookID}", gettext("The event is sent again"))


@routes.get("/deletion")
@routes.post("/deletion")
async def deletion(page: AnyAdmin, webhookID: UuidPath) -> Response:
    """Asks before it is deleted."""
    row = await _found(page, webhookID)

    async def ask() -> Confirmation:
        return Confirmation(
            title=gettext("Delete webhook"),
            crumbs=_crumbs(row),
            sentences=[
                row.url,
                gettext("Events are no longer sent there. Its log is deleted, and so is what still waits to be sent."),
            ],
            button=gettext("Delete webhook"),
            danger=True,
            cancel=f"{PATH}/{webhookID}",
        )

    async def act() -> None:
        await page.database.transaction(actions.delete_endpoint, page.actor, webhookID)

    return await confirm(page, ask, act, done=PATH, notice=gettext("Webhook deleted"))


def _crumbs(row: EndpointRow) -> list[tuple[str, str]]:
    return [(gettext("Webhooks"), PATH), (row.description or row.url, f"{PATH}/{row.id}")]
