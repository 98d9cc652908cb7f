"""Signing in with address and password, and out."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tonnage.api_keys.guard import services_of
from tonnage.authentication import session_queries
from tonnage.authentication.session import Stage
from tonnage.authentication.sign_in_actions import SignedIn, sign_in
from tonnage.authentication.throttling_actions import LinkNeeded
from tonnage.authentication.throttling_queries import record_untrusted_proxy
from tonnage.console.cookies import Cookies
from tonnage.console.home import path_within
from tonnage.console.page_context import PageContext
from tonnage.console.page_request import find_signed_in, verified_form
from tonnage.console.rendering import gettext
from tonnage.console.sign_in.guest import Anybody, Guest
from tonnage.security_events.security_log import log_event
from tonnage.web.forms import BoundForm, Form, bind, unbound
from tonnage.web.proxy_headers import UntrustedProxy
from tonnage.web.routing import AuthFirstRoute
from tonnage.web.schemas import Text

routes = APIRouter(route_class=AuthFirstRoute, include_in_schema=False)


class SignInForm(Form):
    """The address is taken as it is values: whether it can be one says nothing to a stranger."""

    email: Text
    password: Text


@routes.get("/sign-in")
async def ask(guest: Anybody) -> Response:
    """The form; redirects a member who is signed in."""
    wanted = path_within(guest.request.query_params.get("next", "/"))
    if guest.is_in:
        return guest.redirect(wanted)
    # A cookie of a session that is no more: a member who was in the middle of something should know why it stopped.
    ended = guest.session is None and guest.cookies.session() is not None
    return guest.render("sign_in/password.html", form=unbound(SignInForm, next=wanted), ended=ended, needs_link=False)


@routes.post("/sign-in")
async def enter(guest: Anybody) -> Response:
    """Redirects to the requested page, or to the code of the second factor."""
    wanted = path_within(guest.fields.get("next", "/"))
    if guest.is_in:
        return guest.redirect(wanted)
    await _record_untrusted_proxy(guest)
    form = bind(SignInForm, guest.fields)
    signed_in = await form.submit(lambda values: _sign_in(guest, values))
    if signed_in is None:
        return _again(guest, form)
    needs_code = signed_in.stage is Stage.CODE
    response = guest.redirect(f"/sign-in/code?{urlencode({'next': wanted})}" if needs_code else wanted)
    guest.cookies.set_session(response, signed_in.token)
    if signed_in.device:
        guest.cookies.set_device(response, signed_in.device)
    return response


async def _record_untrusted_proxy(guest: Guest) -> None:
    """Here, where clients that count as one are blocked together."""
    found: UntrustedProxy = guest.request.app.state.untrusted_proxy
    if peer := found.to_record(guest.wall_now):
        await guest.database.run(record_untrusted_proxy, peer, guest.wall_now)


async def _sign_in(guest: Guest, values: SignInForm) -> SignedIn:
    passwords = guest.services.passwords
    return await sign_in(guest.database, passwords, values.email, values.password, guest.client, guest.wall_now)


def _again(guest: Guest, form: BoundForm[SignInForm]) -> Response:
    return guest.render(
        "sign_in/password.html",
        status=form.status,
        headers=form.headers,
        form=form,
        ended=False,
        needs_link=isinstance(form.errors.get(""), LinkNeeded),
    )


@routes.post("/sign-out")
async def leave(request: Request) -> Response:
    """Ends the session, at any stage. Works from a page whose session has ended, too."""
    cookies = Cookies(request)
    page = PageContext(request, None, "", cookies)
    if cookies.session() is None:
        # Or it was kept back, since another site sends this: the answer must not take it away.
        return page.redirect("/sign-in")
    found = await find_signed_in(request, cookies)
    if found:
        token, visitor = found
        await verified_form(request, token)
        database = services_of(request).database
        actor, session_id = visitor.actor, visitor.session_id
        await database.run(session_queries.sign_out, visitor.member_id, session_id, actor.stamp)
        log_event("member.sign-out", actor.organisation_id, member=visitor.member_id)
    response = page.redirect("/sign-in", gettext("Signed out"))
    cookies.end_session(response)
    return response
