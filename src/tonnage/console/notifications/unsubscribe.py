"""The link in a mail that stops such mails, without signing in (RFC 8058).

Opening it changes nothing, since mail programs open links: the button does, or the POST of a mail program.
"""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import system_stamp
from tonnage.console.sign_in.guest import Anybody, AnybodyWithoutToken, Guest
from tonnage.errors import NotFound
from tonnage.notifications.actions import unsubscribe
from tonnage.notifications.unsubscribe_link import PURPOSE, UNSUBSCRIBE, UnsubscribeLink, read_token, signed_text
from tonnage.sealing import read_keys
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=f"{UNSUBSCRIBE}/{{token}}", route_class=AuthFirstRoute, include_in_schema=False)

_NO_LINK = "This link is not complete. Open the mail again, or choose your notifications in your profile."


@routes.get("")
async def ask(guest: Anybody, token: str) -> Response:
    """The button."""
    _signed(guest, token)
    return guest.render("notifications/unsubscribe.html", is_done=False)


@routes.post("")
async def act(guest: AnybodyWithoutToken, token: str) -> Response:
    """Stops them. The signature is what permits it: a mail program sends neither a cookie nor a token of a form."""
    link = _signed(guest, token)
    await guest.database.run(unsubscribe, link.member_id, link.delivery, system_stamp())
    return guest.render("notifications/unsubscribe.html", is_done=True)


def _signed(guest: Guest, token: str) -> UnsubscribeLink:
    link, file = read_token(token), guest.services.key_file
    if link is None or file is None:
        raise NotFound(_NO_LINK)
    if not link.is_signed(read_keys(file).hmacs(PURPOSE, signed_text(link.member_id, link.delivery))):
        raise NotFound(_NO_LINK)
    return link
