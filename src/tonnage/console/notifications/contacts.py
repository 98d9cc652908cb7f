"""The link in a mail to the contact of a storage account that stops them without signing in.

Opening it changes nothing, since mail programs open links: the button does, or the POST of a mail program (RFC 8058).
"""

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import system_stamp
from tonnage.console.sign_in.guest import Anybody, AnybodyWithoutToken, Guest
from tonnage.contact_mails.actions import stop_mails
from tonnage.contact_mails.stop_link import PURPOSE, STOP, StopLink, read_token
from tonnage.errors import NotFound
from tonnage.sealing import read_keys
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix=f"{STOP}/{{token}}", route_class=AuthFirstRoute, include_in_schema=False)

_NO_LINK = "This link is not complete. Open the mail again."


@routes.get("")
async def ask(guest: Anybody, token: str) -> Response:
    """The button."""
    _signed(guest, token)
    return guest.render("notifications/contact.html", is_done=False)


@routes.post("")
async def act(guest: AnybodyWithoutToken, token: str) -> Response:
    """Stops them. The signature is what permits it: a mail program sends neither a cookie nor a token of a form."""
    link = _signed(guest, token)
    now = guest.services.wall_clock()
    await guest.database.transaction(stop_mails, link, now, system_stamp())
    return guest.render("notifications/contact.html", is_done=True)


def _signed(guest: Guest, token: str) -> StopLink:
    link, file = read_token(token), guest.services.key_file
    if link is None or file is None or not link.is_signed(read_keys(file).hmacs(PURPOSE, link.signed)):
        raise NotFound(_NO_LINK)
    return link
