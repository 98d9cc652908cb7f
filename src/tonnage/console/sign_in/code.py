"""The code of the second factor, after the password."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.session import Stage, Visitor
from tonnage.access.sign_in_actions import SignedIn, give_code
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.console.start import path_within
from tonnage.web.forms import Filled, Form, blank, fill
from tonnage.web.payload import Text
from tonnage.web.route import Door

routes = APIRouter(prefix="/sign-in/code", route_class=Door, include_in_schema=False)


class CodeForm(Form):
    """A code of the app or a recovery code; which of them, it tells itself."""

    code: Text


@routes.get("")
async def ask(guest: Anybody) -> Response:
    """The form, for whoever has given the password."""
    query = guest.request.query_params
    wanted = path_within(query.get("next", "/"))
    if not _is_waiting(guest.session):
        return _elsewhere(guest, wanted)
    return _page(guest, blank(CodeForm, next=wanted, recovery=query.get("recovery", "")))


@routes.post("")
async def enter(guest: Anybody) -> Response:
    """On to the page that was wanted."""
    wanted = path_within(guest.fields.get("next", "/"))
    session = guest.session
    if session is None or not _is_waiting(session):
        return _elsewhere(guest, wanted)
    form = fill(CodeForm, guest.fields)
    signed_in = await form.submit(lambda typed: _give(guest, session, typed), about="code")
    if signed_in is None:
        return _page(guest, form)
    response = guest.see(wanted)
    guest.cookies.set_session(response, signed_in.token)
    return response


async def _give(guest: Guest, session: Visitor, typed: CodeForm) -> SignedIn:
    key_file = guest.resources.key_file
    return await give_code(guest.database, key_file, session, typed.code, guest.client, guest.now)


def _is_waiting(session: Visitor | None) -> bool:
    return session is not None and session.stage is Stage.CODE


def _elsewhere(guest: Guest, wanted: str) -> Response:
    return guest.see(wanted if guest.is_in else f"/sign-in?{urlencode({'next': wanted})}")


def _page(guest: Guest, form: Filled[CodeForm]) -> Response:
    status = form.status if form.errors else 200
    other = urlencode({"next": form.typed.get("next", "/")})
    return guest.page("sign_in/code.html", status=status, headers=form.headers, form=form, other=other)
