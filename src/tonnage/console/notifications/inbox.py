"""The inbox: what has happened that a member may want to know."""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.console.page_request import AnyMember
from tonnage.console.rendering import gettext, said
from tonnage.errors import Malformed
from tonnage.events.event_feed import FeedReader
from tonnage.notifications.inbox import MOST_UNREAD
from tonnage.notifications.inbox_queries import inbox_page, mark_read
from tonnage.notifications.notification import Notification
from tonnage.notifications.queries import subject_names
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
    notifications = [Notification(event, {}) for event in shown]
    names = await page.database.run(subject_names, sorted({str(one.data["subjectId"]) for one in notifications}))
    rows = [
        (said(one.sentence), one.path(page.actor.kind), one.event.at, one.event.position > found.read_to)
        for one in (Notification(event, names) for event in shown)
    ]
    return page.render(
        "notifications/inbox.html",
        rows=rows,
        unread=found.unread,
        most_unread=MOST_UNREAD,
        newest=shown[0].position if shown and before is None else None,
        older=shown[-1].id if len(found.events) > _SHOWN else None,
    )


@routes.post("/read")
async def read(page: AnyMember) -> Response:
    """Everything through what the page has shown is read: what came after it is not."""
    position = page.fields.get("position", "")
    if not position.isascii() or not position.isdecimal() or len(position) > len("9223372036854775807") - 1:
        raise Malformed("The form cannot be read. Reload its page and try again.")
    await page.database.run(mark_read, page.visitor.member_id, int(position))
    return page.redirect(PATH, gettext("Marked as read"))
