"""The console's cookies. Behind TLS their names begin with `__Host-`: no other site of the domain can set those.

One that is bound to a path cannot have such a name.
"""

from datetime import timedelta
from enum import StrEnum
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from tonnage.api_keys.guard import services_of
from tonnage.authentication.session import LONGEST
from tonnage.devices.device import KNOWN_FOR
from tonnage.web.proxy_headers import is_secure

_NOTICE_SECONDS = 60
_THEME_SECONDS = 365 * 24 * 3600
_LONGEST_NOTICE = 300
"""Characters: quoted, each may take 12 bytes, and browsers drop cookies of more than 4096."""
_LONGEST_TOKEN = 100
"""Characters, likewise: anything may stand in a link."""


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

    def device(self) -> str:
        """The token of a device that is known; empty without one."""
        return self._read("device") or ""

    def notice(self) -> str | None:
        """The message of the previous request for the next page."""
        text = self._read("notice")
        return unquote(text)[:_LONGEST_NOTICE] if text else None

    def link(self, path: str) -> str | None:
        """The token of the link from a mail that was opened last; `path` is that of its page."""
        return self._read("link", path)

    def theme(self) -> Theme | None:
        """None: as the system prefers."""
        found = self._read("theme")
        return Theme(found) if found in list(Theme) else None

    def set_session(self, response: Response, token: str) -> None:
        """From now on the browser is in that session."""
        self._set(response, "session", token, int(LONGEST.total_seconds()))

    def set_device(self, response: Response, token: str) -> None:
        """From now on the browser is a known device. It stays one when its member signs out."""
        self._set(response, "device", token, int(KNOWN_FOR.total_seconds()))

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

    def set_link(self, response: Response, path: str, token: str, valid_for: timedelta) -> None:
        """For as long as the link may be valid, and for no other page. Not more strictly than the others: a page of
        the mail's reader leads here.
        """
        self._set(response, "link", quote(token[:_LONGEST_TOKEN], safe=""), int(valid_for.total_seconds()), path)

    def end_link(self, response: Response, path: str) -> None:
        """The link was used."""
        self._set(response, "link", "", 0, path)

    def set_theme(self, response: Response, theme: Theme | None) -> None:
        """None: as the system prefers again."""
        self._set(response, "theme", theme or "", _THEME_SECONDS if theme else 0)

    def _name(self, name: str, path: str = "/") -> str:
        prefix = "" if not self.secure else "__Host-" if path == "/" else "__Secure-"
        return f"{prefix}tonnage-{name}"

    def _read(self, name: str, path: str = "/") -> str | None:
        return self._given.get(self._name(name, path)) or None

    def _set(self, response: Response, name: str, value: str, seconds: int | None, path: str = "/") -> None:
        response.set_cookie(
            self._name(name, path),
            value,
            max_age=seconds,
            path=path,
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )
