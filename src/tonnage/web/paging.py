"""Pagination of the API: `limit` and `cursor`.

Parsed here and not by FastAPI because of the cost: there two optional query parameters take a third of a lean request's
CPU time, and few clients send them. Therefore this module also adds them to the API documents.
"""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeAlias

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from starlette.requests import Request

from tonnage.errors import FieldError, Invalid, Malformed, Sentence
from tonnage.web.page_links import NextPageLinks

MAX_PAGE = 1000
MOST_COMPUTED = 50
"""Elements of a page whose elements are computed when they are asked for."""

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

_COMPUTED_LIMIT = f"Elements per page. A page has at most {MOST_COMPUTED}, also without it."
COMPUTED_PARAMETERS: list[dict[str, Any]] = [{**PARAMETERS[0], "description": _COMPUTED_LIMIT}, *PARAMETERS[1:]]
"""Those of a list whose elements are computed."""


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
    after = await _after(request, query["cursor"]) if "cursor" in query else None
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


async def _computed_page(request: Request) -> Page:
    page = await _page(request)
    return replace(page, limit=min(page.limit or MOST_COMPUTED, MOST_COMPUTED))


ComputedPaging: TypeAlias = Annotated[Page, Depends(_computed_page)]
"""The same for a list whose elements are computed: `limit` is never more than MOST_COMPUTED, nor None."""


def paging_parameters(dependant: Dependant) -> list[dict[str, Any]]:
    """Those of a route whose handler has a parameter of type Paging or ComputedPaging; else none."""
    for dependency in dependant.dependencies:
        if dependency.call in (_page, _computed_page):
            return PARAMETERS if dependency.call is _page else COMPUTED_PARAMETERS
    return []


async def _after(request: Request, cursor: str) -> int:
    links: NextPageLinks = request.app.state.page_links
    try:
        return await links.position(request.scope, cursor)
    except ValueError:
        raise _malformed("cursor", "is not from a Link header of this list") from None


def _malformed(field: str, message: str) -> Malformed:
    return Malformed(f"{field}: {message}", fields=(FieldError(field, message),))
