"""Operations that are going to end: what their responses say of it (Deprecation, RFC 9745; Sunset, RFC 8594)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Scope

from tonnage.web.routing import template_of


@dataclass(frozen=True)
class Deprecation:
    """Since when an operation should not be used any more, the URL of a page about it, and when it ends."""

    since: datetime
    documentation: str
    sunset: datetime | None = None

    def __post_init__(self) -> None:
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("an operation is deprecated before it ends")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of every response of the operation."""
        links = [f'<{self.documentation}>; rel="deprecation"; type="text/html"']
        said = [(b"deprecation", f"@{int(self.since.timestamp())}".encode())]
        if self.sunset is not None:
            said.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
            links.append(f'<{self.documentation}>; rel="sunset"; type="text/html"')
        return [*said, *((b"link", link.encode()) for link in links)]


Deprecations = Mapping[str, Deprecation]
"""By operation, such as `GET /v1/contract/list`, with the path as in the documents."""

DEPRECATIONS: Deprecations = {}


def deprecation_of(scope: Scope, table: Deprecations) -> list[tuple[bytes, bytes]]:
    """The headers for the response to a request."""
    found = table.get(f"{scope['method']} {template_of(scope)}")
    return found.headers if found else []


def require_operations(app: FastAPI, table: Deprecations) -> None:
    """Raises ValueError for a name that is no operation: nobody would see the headers."""
    routes = (route for route in app.routes if isinstance(route, Route))
    known = {f"{method} {route.path}" for route in routes for method in route.methods or ()}
    for name in table:
        if name not in known:
            raise ValueError(f"there is no operation {name}")
