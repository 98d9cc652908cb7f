"""The console's cookies. Behind TLS their names begin with `__Host-`: no other site of the domain can set those."""

from enum import StrEnum
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from tonnage.api_keys.guard import services_of
from tonnage.authentication.session import LONGEST
from tonnage.web.proxy_headers import is_secure

_NOTICE_SECONDS = 60
_THEME_SECONDS = 365 * 24 * 3600
_LONGEST_NOTICE = 300
"""Characters: quoted, each may take 12 bytes, and browsers drop cookies of more than 4096."""


class Theme(StrEnum):
    """What the member has chosen; without a cookie it is the system's preference."""

    LIGHT = "light"
    DARK = "dark"


class Cookies:
    """Those of a request, and how its response sets them."""

    def __init__(self, request: Request) -> None:
        self.secure = is_secure(request.scope, services_of(request).sign_in.public_url)
        """Whether the browser speaks TLS."""
        self._given = request.cookies

    def session(self) -> str | None:
        """The token of a session."""
        return self._read("session")

    def guest(self) -> str | None:
        """The value to which forms are bound while there is no session."""
        return self._read("guest")

    def notice(self) -> str | None:
        """The message of the previous request for the next page."""
        text = self._read("notice")
        return unquote(text)[:_LONGEST_NOTICE] if text else None

    def theme(self) -> Theme | None:
        """None: as the system prefers."""
        found = self._read("theme")
        return Theme(found) if found in list(Theme) else None

    def set_session(self, response: Response, token: str) -> None:
        """From now on the browser is in that session."""
        self._set(response, "session", token, int(LONGEST.total_seconds()))

    def end_session(self, response: Response) -> None:
        """The browser forgets its session."""
        self._set(response, "session", "", 0)

    def set_guest(self, response: Response, secret: str) -> None:
        """Until the browser is closed."""
        self._set(response, "guest", secret, None)

    def set_notice(self, response: Response, text: str) -> None:
        """A notice that the next page shows once."""
        self._set(response, "notice", quote(text[:_LONGEST_NOTICE]), _NOTICE_SECONDS)

    def end_notice(self, response: Response) -> None:
        """The notice was shown."""
        self._set(response, "notice", "", 0)

    def set_theme(self, response: Response, theme: Theme | None) -> None:
        """None: as the system prefers again."""
        self._set(response, "theme", theme or "", _THEME_SECONDS if theme else 0)

    def _name(self, name: str) -> str:
        return f"__Host-tonnage-{name}" if self.secure else f"tonnage-{name}"

    def _read(self, name: str) -> str | None:
        return self._given.get(self._name(name)) or None

    def _set(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            self._name(name), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )
