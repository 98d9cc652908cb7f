"""The only error format: RFC 9457 `application/problem+json`, for domain errors, framework errors and crashes alike.

`type` is always `about:blank`: the status gives the kind of error and the message the details, while a URI would imply
a page behind it. RFC 9457 then requires the status phrase as `title`.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from tonnage.db.failures import Failure, failure_of
from tonnage.errors import (
    Busy,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Sentence,
    Throttled,
    TonnageError,
    Unauthenticated,
    Unavailable,
)
from tonnage.web.validation_messages import validation_error

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

CRASH = Sentence("Something went wrong on our side, not with your request. Quote the request id when you report it.")
NO_DATABASE = Sentence("The database cannot be reached or is too busy. Try again in a few seconds.")
IN_DOUBT = Sentence(
    "The database did not confirm the change, so it may or may not have been made. Check before you try again."
)
LOCKED = Sentence("The same data is being changed by somebody else at the moment. Try again in a few seconds.")
READ_ONLY = Sentence("The database accepts no changes at the moment. Try again in a few seconds.")
DISK_FULL = Sentence("The disk of the database is full. Changes are possible again when the operator has made room.")
CONTRADICTION = Sentence("This change contradicts other data, which may have been changed at the same moment.")
NO_ROUTE = Sentence("There is no such path. The operations are listed at /swagger/index.html.")

_STATUS: dict[type[Exception], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    Throttled: 429,
    Unavailable: 503,
}

_OF_DATABASE: dict[Failure, tuple[int, Sentence]] = {
    Failure.UNREACHABLE: (503, NO_DATABASE),
    Failure.LOCKED: (503, LOCKED),
    Failure.READ_ONLY: (503, READ_ONLY),
    Failure.DISK_FULL: (503, DISK_FULL),
    Failure.IN_DOUBT: (503, IN_DOUBT),
    Failure.CONFLICT: (409, CONTRADICTION),
}
"""What the failures of the database are to a client. The only other one is a bug, which is a crash."""

# Python's phrases for these two changed between 3.11 and 3.13; clients should not see that.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

_HEADERS: dict[int, dict[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def title(status: int) -> str:
    """The phrase of RFC 9110 for a status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def status_of(error: TonnageError) -> int:
    """The HTTP status of a domain error, for routes that render errors in another format."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def problem(
    scope: Scope,
    status: int,
    detail: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response. `scope` contains the request id; 401 and 503 get the headers that they require."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "detail": detail,
        "message": detail,  # clients written for the published API read this member
    }
    if fields:
        body["errors"] = [{"field": field.field, "message": field.message} for field in fields]
    body["requestId"] = scope.get("state", {}).get("request_id", "")
    return Response(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status,
        {**_HEADERS.get(status, {}), **(headers or {})},
        MEDIA_TYPE,
    )


class ErrorPages(Protocol):
    """Renders errors as pages: `app.state.error_pages`, if the app has pages."""

    def is_console_path(self, scope: Scope) -> bool:
        """Whether the request was for a page."""
        ...

    def error_page(self, scope: Scope, status: int, detail: str) -> Response:
        """The error page for a status."""
        ...


def error_response(
    scope: Scope,
    status: int,
    detail: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response, or for a request of a page an error page with the same message."""
    app = scope.get("app")
    pages: ErrorPages | None = getattr(app.state, "error_pages", None) if app else None
    if pages is None or not pages.is_console_path(scope):
        return problem(scope, status, detail, fields, headers)
    page = pages.error_page(scope, status, detail)
    page.headers.update({**(_HEADERS.get(status, {}) if status != 401 else {}), **(headers or {})})
    return page


def install(app: FastAPI) -> None:
    """Renders every error of `app` as a problem. `RequestMiddleware`, which must be added too, handles crashes."""
    app.exception_handler(TonnageError)(_domain)
    app.exception_handler(RequestValidationError)(_validation)
    app.exception_handler(HTTPException)(_framework)
    app.exception_handler(psycopg.Error)(_database)  # psycopg_pool.PoolTimeout is one too


async def _domain(request: Request, error: TonnageError) -> Response:
    fields = error.fields if isinstance(error, Malformed | Invalid) else ()
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled | Busy) else None
    return error_response(request.scope, status_of(error), error.sentence, fields, headers)


async def _validation(request: Request, error: RequestValidationError) -> Response:
    return await _domain(request, validation_error(error.errors()))


async def _framework(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        allowed = _allowed_methods(request)
        detail = Sentence("This path does not support that method. It supports {methods}.", methods=allowed)
        return error_response(request.scope, 405, detail, headers={"Allow": allowed})
    # Starlette's own 404 says only "Not Found".
    detail = NO_ROUTE if error.status_code == 404 else str(error.detail)
    return error_response(request.scope, error.status_code, detail, headers=error.headers)


async def _database(request: Request, error: Exception) -> Response:
    failure = failure_of(error) if isinstance(error, psycopg.Error) else Failure.BUG
    if failure is Failure.BUG:
        raise error
    if isinstance(error, psycopg.Error) and error.sqlstate and failure is not Failure.LOCKED:
        _log.warning("the database refused a statement: %s: %s", type(error).__name__, error.diag.message_primary)
    if failure is Failure.IN_DOUBT and request.method in {"GET", "HEAD"}:
        failure = Failure.UNREACHABLE
    status, sentence = _OF_DATABASE[failure]
    return error_response(request.scope, status, sentence)


def _allowed_methods(request: Request) -> str:
    # FastAPI registers a route per method, and Starlette's own Allow lists only the methods of the first route that
    # matches.
    scope = dict(request.scope)
    of: dict[str | None, set[str]] = {}
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.matches(scope)[0] is not Match.NONE:
            of.setdefault(route.path, set()).update(route.methods)
    # As in routing.py, a path without parameters takes precedence over those that also match it.
    return ", ".join(sorted(of.get(scope["path"]) or set[str]().union(*of.values())))
