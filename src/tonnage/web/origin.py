"""Absolute addresses of this server, for clients that resolve no relative ones."""

import re

from starlette.types import Scope

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


def origin_of(scope: Scope) -> str:
    """The public URL (`app.state.public_url`), else where the request was sent to; '' if it says that to nobody.

    Not where a proxy was asked: what it says of that is only as true as its setting.
    """
    app = scope.get("app")
    if public_url := getattr(app.state, "public_url", None) if app else None:
        return str(public_url)
    hosts = [value for name, value in scope.get("headers", ()) if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return ""
    return f"{scope.get('scheme', 'http')}://{hosts[0].decode()}"
