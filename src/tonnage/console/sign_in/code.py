"""The code of the second factor, after the password."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.authentication.session import SignedInMember, Stage
from tonnage.authentication.sign_in_actions import SignedIn, submit_code
from tonnage.console.home import path_within
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

routes = APIRouter(prefix="/sign-in/code", route_class=AuthFirstRoute, include_in_schema=False)


class CodeForm(Form):
    """A code of the app or a recovery code; its form shows which."""

    code: Text


@routes.get("")
async def ask(guest: Anybody) -> Response:
    """The form, after the password was right."""
    query = guest.request.query_params
    wanted = path_within(query.get("next", "/"))
    if not _is_waiting(guest.session):
        return _elsewhere(guest, wanted)
    return _page(guest, unbound(CodeForm, next=wanted, recovery=query.get("recovery", "")))


@routes.post("")
async def enter(guest: Anybody) -> Response:
    """Redirects to the requested page."""
    wanted = path_within(guest.fields.get("next", "/"))
    session = guest.session
    if session is None or not _is_waiting(session):
        return _elsewhere(guest, wanted)
    form = bind(CodeForm, guest.fields)
    signed_in = await form.submit(lambda values: _give(guest, session, values), about="code")
    if signed_in is None:
        return _page(guest, form)
    response = guest.redirect(wanted)
    guest.cookies.set_session(response, signed_in.token)
    guest.cookies.set_device(response, signed_in.device)
    return response


async def _give(guest: Guest, session: SignedInMember, values: CodeForm) -> SignedIn:
    key_file = guest.services.key_file
    return await submit_code(guest.database, key_file, session, values.code, guest.client, guest.wall_now)


def _is_waiting(session: SignedInMember | None) -> bool:
    return session is not None and session.stage is Stage.CODE


def _elsewhere(guest: Guest, wanted: str) -> Response:
    return guest.redirect(wanted if guest.is_in else f"/sign-in?{urlencode({'next': wanted})}")


def _page(guest: Guest, form: BoundForm[CodeForm]) -> Response:
    other = urlencode({"next": form.raw.get("next", "/")})
    return guest.render("sign_in/code.html", status=form.status, headers=form.headers, form=form, other=other)
