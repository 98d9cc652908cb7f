"""The inbox: what has happened that a member may want to know."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.bigint import parse_bigint
from tonnage.console.page_request import AnyMember
from tonnage.console.rendering import gettext, said
from tonnage.errors import Malformed
from tonnage.events.event_feed import FeedReader
from tonnage.notifications.inbox import MOST_UNREAD
from tonnage.notifications.inbox_queries import inbox_page, mark_read
from tonnage.notifications.queries import notifications_about
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import UuidPath

PATH = "/inbox"
_SHOWN = 50

routes = APIRouter(prefix=PATH, route_class=AuthFirstRoute, include_in_schema=False)


@routes.get("")
async def show(page: AnyMember, before: UuidPath | None = None) -> Response:
    """The newest ones, or those before an event."""
    reader = FeedReader.of(page.actor)
    found = await page.database.run(inbox_page, reader, page.visitor.member_id, before, _SHOWN + 1)
    shown = found.events[:_SHOWN]
    rows = [
        (said(one.sentence), one.path(page.actor.kind), one.event.at, one.event.position > found.read_to)
        for one in await page.database.run(notifications_about, shown)
    ]
    return page.render(
        "notifications/inbox.html",
        rows=rows,
        unread=page.unread,
        most_unread=MOST_UNREAD,
        newest=shown[0].position if shown and before is None else None,
        older=shown[-1].id if len(found.events) > _SHOWN else None,
    )


@routes.post("/read")
async def read(page: AnyMember) -> Response:
    """Everything through what the page has shown is read: what came after it is not."""
    position = parse_bigint(page.fields.get("position", ""))
    if position is None:
        raise Malformed("The form cannot be read. Reload its page and try again.")
    await page.database.run(mark_read, page.visitor.member_id, position)
    return page.redirect(PATH, gettext("Marked as read"))
