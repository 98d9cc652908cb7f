"""Pagination of the API: `limit` and `cursor`.

Parsed here and not by FastAPI because of the cost: there two optional query parameters take a third of a lean request's
CPU time, and few clients send them. Therefore this module also adds them to the API documents.
"""

import base64
import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import Request
from starlette.types import Scope

from tonnage.errors import FieldError, Invalid, Malformed, Sentence

MAX_PAGE = 1000

PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "limit",
        "in": "query",
        "description": "Elements per page. Without it, the list is complete.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "Where the page starts, from the Link header of the previous page.",
        "schema": {"type": "string"},
    },
]
"""The parameters as in an OpenAPI 3 operation."""


@dataclass(frozen=True, slots=True)
class Page:
    """The requested page: `limit` elements (None: all) whose seq is greater than `after`."""

    limit: int | None = None
    after: int | None = None
    refused: Invalid | None = None
    """Raised by JsonListResponse, since a malformed id in the path takes precedence, and FastAPI reports that later."""


_WHOLE = Page()


async def _page(request: Request) -> Page:
    if not request.scope["query_string"]:
        return _WHOLE
    query = request.query_params
    after = _after(query["cursor"]) if "cursor" in query else None
    if "limit" not in query:
        return Page(after=after)
    if not re.fullmatch(r"-?\d{1,18}", query["limit"], re.ASCII):
        raise _malformed("limit", "must be a whole number")
    limit = int(query["limit"])
    if not 1 <= limit <= MAX_PAGE:
        least, most = Sentence("must be 1 or more"), Sentence("must be {most} or less", most=MAX_PAGE)
        return Page(refused=Invalid.field("limit", most if limit > 1 else least))
    return Page(limit, after)


Paging: TypeAlias = Annotated[Page, Depends(_page)]
"""The type of a handler's parameter that reads `limit` (1 to 1000, else 422) and `cursor` (else 400)."""


def is_paged(dependant: Dependant) -> bool:
    """Whether a route's handler has a parameter of type Paging."""
    return any(dependency.call is _page for dependency in dependant.dependencies)


def cursor_of(seq: int) -> str:
    """The cursor of the page after `seq`. Opaque to clients, so that its meaning can change."""
    return base64.urlsafe_b64encode(b"%d" % seq).decode().rstrip("=")


def _after(cursor: str) -> int:
    try:
        seq = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        seq = b""
    if not re.fullmatch(rb"\d{1,18}", seq):
        raise _malformed("cursor", "is not from a Link header of this list")
    return int(seq)


def _malformed(field: str, message: str) -> Malformed:
    return Malformed(f"{field}: {message}", fields=(FieldError(field, message),))


def next_page(scope: Scope, limit: int, seq: int) -> str:
    """A Link header (RFC 8288) for the elements after `seq`; other query parameters stay."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in query if name not in ("limit", "cursor")]
    target = f"{quote(scope['path'])}?{urlencode([*kept, ('limit', limit), ('cursor', cursor_of(seq))])}"
    return f'<{target}>; rel="next"'
