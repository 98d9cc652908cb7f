"""A visitor who is not signed in: without a session, or with one that opens no pages yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from tonnage.api_keys.guard import services_of
from tonnage.authentication.session import SignedInMember, Stage
from tonnage.console.cookies import Cookies
from tonnage.console.page_context import PageContext
from tonnage.console.page_request import find_signed_in, verified_form
from tonnage.services import Services
from tonnage.tokens import new_token
from tonnage.web.routing import AuthDependency

_MAX_FORM = 16 * 1024
"""Bytes: anybody may send these forms, and none of them is long."""


@dataclass(frozen=True)
class Guest(PageContext):
    """One request; its page is rendered without a member's frame, with or without a session."""

    session: SignedInMember | None
    """The request's session, at any stage."""
    services: Services
    fields: Mapping[str, str]
    """Of the form; empty for a page that is only looked at."""

    @property
    def is_in(self) -> bool:
        """Whether there is nothing left to prove."""
        return self.session is not None and self.session.stage is not Stage.CODE

    def render(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
    ) -> Response:
        """As any page. Its forms are bound to a cookie, which is set with the first one."""
        response = super().render(template, status=status, headers=headers, **context)
        # Not in answer to a form: one that another site sends comes without the cookie that there may be.
        if self.request.method == "GET" and self.session is None and self.cookies.guest() is None:
            self.cookies.set_guest(response, self.secret)
        return response


async def _arrived(request: Request) -> Guest:
    """Without the fields of a form."""
    cookies = Cookies(request)
    token, session = await find_signed_in(request, cookies) or (None, None)
    services = services_of(request)
    await services.business_now()  # for the banner of a sandbox
    secret = token or cookies.guest() or new_token()
    guest = Guest(request, None, secret, cookies, session, services, {})
    guest.attach()
    return guest


async def _receive(request: Request) -> Guest:
    guest = await _arrived(request)
    return replace(guest, fields=await verified_form(request, guest.secret, most=_MAX_FORM))


Anybody: TypeAlias = Annotated[Guest, Depends(AuthDependency(_receive))]
AnybodyWithoutToken: TypeAlias = Annotated[Guest, Depends(AuthDependency(_arrived))]
"""Also a program that has not seen a page of ours, and whose fields are not looked at: its address has to permit what
it does."""
