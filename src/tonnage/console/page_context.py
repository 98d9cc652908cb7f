"""What every page knows of its reader, and how it is drawn and answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from tonnage.api_keys.guard import services_of
from tonnage.authentication.session import ClientInfo, SignedInMember
from tonnage.console import navigation, rendering
from tonnage.console.cookies import Cookies
from tonnage.db import Database
from tonnage.notifications.inbox import MOST_UNREAD
from tonnage.web import csrf
from tonnage.web.proxy_headers import client_address
from tonnage.wording.catalogue import language_of
from tonnage.wording.choices import negotiate
from tonnage.wording.formatting import Formats

_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
"""Of every page. That it is not to be kept, and what it is, every reply says."""

_ATTACHED = "page_context"


@dataclass(frozen=True)
class PageContext:
    """Who reads: with a session or without one yet, in which language, locale and time zone."""

    request: Request
    visitor: SignedInMember | None
    secret: str
    """The cookie that this reader's forms are bound to."""
    cookies: Cookies
    unread: int = field(default=0, kw_only=True)
    """Events in the reader's inbox that are not read; at most one more than are counted."""

    @property
    def unread_text(self) -> str:
        """As the navigation shows it: `99+` is more than are counted."""
        return f"{MOST_UNREAD}+" if self.unread > MOST_UNREAD else self.formats.number(self.unread)

    @classmethod
    def of(cls, scope: Scope) -> "PageContext | None":
        """The context that this request was given by `attach`, if it came that far."""
        return scope.get("state", {}).get(_ATTACHED)

    def attach(self) -> None:
        """Keeps the context with its request, so that an error page has the frame of the page that failed."""
        setattr(self.request.state, _ATTACHED, self)

    @cached_property
    def formats(self) -> Formats:
        """How numbers and times are written for this reader."""
        chosen = self.visitor and self.visitor.locale
        locale = chosen or negotiate(self.request.headers.get("accept-language", ""))
        return Formats(locale, (self.visitor and self.visitor.time_zone) or "UTC")

    @cached_property
    def language(self) -> str:
        """Of the texts: that of the locale, where there is a catalogue for it, else English."""
        return language_of(self.formats.locale)

    @cached_property
    def wall_now(self) -> datetime:
        """The time of the request by the wall clock, for sessions, codes, keys and jobs."""
        return services_of(self.request).wall_clock()

    @property
    def sandbox_time(self) -> datetime | None:
        """The business time of a sandbox, for the banner of its pages; None: the database is none."""
        return services_of(self.request).sandbox_time

    @property
    def database(self) -> Database:
        """The pools."""
        return services_of(self.request).database

    @property
    def client(self) -> ClientInfo:
        """The browser at the other end."""
        return ClientInfo(
            client_address(self.request.scope), self.request.headers.get("user-agent", ""), self.cookies.device()
        )

    @cached_property
    def csrf(self) -> str:
        """For the hidden field of every form."""
        return csrf.token(self.secret)

    @property
    def theme(self) -> str:
        """For the root element; '' follows the system."""
        return self.cookies.theme() or ""

    @property
    def path(self) -> str:
        """Of this page, without its query."""
        return self.request.url.path

    @property
    def navigation(self) -> list[navigation.NavigationItem]:
        """Where this reader can go."""
        return navigation.navigation_items(self.visitor.actor) if self.visitor else []

    def render(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
    ) -> Response:
        """A page, with the notice that the request before has left."""
        notice = self.cookies.notice()
        html = rendering.render(template, self, {"notice": notice, **context}).encode()
        said = {**_HEADERS, **(headers or {})}
        response = Response(html, status, said, "text/html; charset=utf-8")
        if notice:
            self.cookies.end_notice(response)
        return response

    def redirect(self, path: str, notice: str | None = None) -> Response:
        """After a change: redirects to another page of the console, which shows `notice`."""
        response = RedirectResponse(path, 303)
        if notice:
            self.cookies.set_notice(response, notice)
        return response
