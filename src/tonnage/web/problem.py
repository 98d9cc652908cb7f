"""The only error format: RFC 9457 `application/problem+json`, for domain errors, framework errors and crashes alike.

Every problem has a code of the closed list in `error_codes`, and `type` is the address of the page about that code,
which this server has (see error_documentation.py). The numbers of the sentence are members of their own.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol, TypeAlias

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from tonnage.db.failures import Failure, failure_of
from tonnage.error_codes import Code, ConflictCode, RequestCode, UnavailableCode
from tonnage.errors import (
    Busy,
    FieldError,
    Forbidden,
    InProgress,
    Invalid,
    Malformed,
    PreconditionFailed,
    Sentence,
    Throttled,
    TonnageError,
)
from tonnage.web.entity_tag import entity_tag
from tonnage.web.origin import origin_of
from tonnage.web.routing import allowed_methods
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

_OF_DATABASE: dict[Failure, tuple[Code, Sentence]] = {
    Failure.UNREACHABLE: (UnavailableCode.DATABASE_UNAVAILABLE, NO_DATABASE),
    Failure.LOCKED: (UnavailableCode.LOCKED, LOCKED),
    Failure.READ_ONLY: (UnavailableCode.DATABASE_READ_ONLY, READ_ONLY),
    Failure.DISK_FULL: (UnavailableCode.DATABASE_READ_ONLY, DISK_FULL),
    Failure.IN_DOUBT: (UnavailableCode.IN_DOUBT, IN_DOUBT),
    Failure.CONFLICT: (ConflictCode.CHANGED_MEANWHILE, CONTRADICTION),
}
"""What the failures of the database are to a client. The only other one is a bug, which is a crash."""

_OF_FRAMEWORK: dict[int, Code] = {
    404: RequestCode.UNKNOWN_PATH,
    405: RequestCode.METHOD_NOT_ALLOWED,
    413: RequestCode.BODY_TOO_LARGE,
    415: RequestCode.UNSUPPORTED_MEDIA_TYPE,
}
"""What an HTTPException is by its status. One of another status is of a kind that nothing here raises."""

# Python's phrases for these two changed between 3.11 and 3.13; clients should not see that.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

_HEADERS: dict[int, dict[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def title(status: int) -> str:
    """The phrase of RFC 9110 for a status."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem(
    scope: Scope,
    code: Code,
    detail: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response. `scope` contains the request id; 401 and 503 get the headers that they require."""
    return Response(
        json.dumps(_members(scope, code, detail, fields), ensure_ascii=False).encode("utf-8", "replace"),
        code.status,
        {**_HEADERS.get(code.status, {}), **(headers or {})},
        MEDIA_TYPE,
    )


def problem_example(code: Code, scope: Scope | None = None) -> dict[str, object]:
    """The members of a problem as an example of a code; `scope`: of a request to the server that it is of."""
    state = {"request_id": "6f1c1f52-8d0f-4a8e-9a0b-0d6a5c1b7e33"}
    about = code.explanation
    field, has_field, message = about.example.partition(": ")
    is_about_field = code.status in {400, 422} and has_field and " " not in field
    fields = (FieldError(field, message),) if is_about_field else ()
    return _members({**(scope or {}), "state": state}, code, about.example, fields, about.numbers)


def _members(
    scope: Scope, code: Code, detail: str, fields: Sequence[FieldError], numbers: Mapping[str, int] | None = None
) -> dict[str, object]:
    if numbers is None:
        numbers = detail.numbers if isinstance(detail, Sentence) else {}
    return {
        "type": f"{origin_of(scope)}/errors/{code}",
        "title": title(code.status),
        "status": code.status,
        "code": str(code),
        "detail": detail,
        "message": detail,  # clients written for the published API read this member
        **{to_camel(name): number for name, number in numbers.items()},
        **({"errors": [{"field": field.field, "message": field.message} for field in fields]} if fields else {}),
        "requestId": scope.get("state", {}).get("request_id", ""),
    }


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
    code: Code,
    detail: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response, or for a request of a page an error page with the same message."""
    app = scope.get("app")
    pages: ErrorPages | None = getattr(app.state, "error_pages", None) if app else None
    if pages is None or not pages.is_console_path(scope):
        return problem(scope, code, detail, fields, headers)
    page = pages.error_page(scope, code.status, detail)
    page.headers.update({**(_HEADERS.get(code.status, {}) if code.status != 401 else {}), **(headers or {})})
    return page


Refused: TypeAlias = Callable[[Request, Forbidden], Awaitable[None]]


def install(app: FastAPI, refused: Refused | None = None) -> None:
    """Renders every error of `app` as a problem. `RequestMiddleware`, which must be added too, handles crashes.

    `refused` runs before the response to what was not allowed.
    """
    if refused:

        async def forbidden(request: Request, error: Forbidden) -> Response:
            await refused(request, error)
            return await _domain(request, error)

        app.exception_handler(Forbidden)(forbidden)
    app.exception_handler(TonnageError)(_domain)
    app.exception_handler(RequestValidationError)(_validation)
    app.exception_handler(HTTPException)(_framework)
    app.exception_handler(psycopg.Error)(_database)  # psycopg_pool.PoolTimeout is one too


async def _domain(request: Request, error: TonnageError) -> Response:
    fields = error.fields if isinstance(error, Malformed | Invalid) else ()
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled | Busy | InProgress) else None
    if isinstance(error, PreconditionFailed):
        return _with_current(problem(request.scope, error.code, error.sentence), error)
    return error_response(request.scope, error.code, error.sentence, fields, headers)


def _with_current(response: Response, error: PreconditionFailed) -> Response:
    """A problem with the thing's present state, as PostgreSQL has rendered it."""
    body = bytes(response.body)[:-1] + b', "current": ' + error.current + b"}"
    return Response(body, 412, {"ETag": entity_tag(error.revision)}, MEDIA_TYPE)


async def _validation(request: Request, error: RequestValidationError) -> Response:
    return await _domain(request, validation_error(error.errors()))


async def _framework(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        allowed = allowed_methods(request.scope)
        detail = Sentence("This path does not support that method. It supports {methods}.", methods=allowed)
        return error_response(request.scope, RequestCode.METHOD_NOT_ALLOWED, detail, headers={"Allow": allowed})
    # Starlette's own 404 says only "Not Found".
    detail = NO_ROUTE if error.status_code == 404 else str(error.detail)
    code = _OF_FRAMEWORK.get(error.status_code, RequestCode.MALFORMED_REQUEST)
    return error_response(request.scope, code, detail, headers=error.headers)


async def _database(request: Request, error: Exception) -> Response:
    failure = failure_of(error) if isinstance(error, psycopg.Error) else Failure.BUG
    if failure is Failure.BUG:
        raise error
    if isinstance(error, psycopg.Error) and error.sqlstate and failure is not Failure.LOCKED:
        _log.warning("the database refused a statement: %s: %s", type(error).__name__, error.diag.message_primary)
    if failure is Failure.IN_DOUBT and request.method in {"GET", "HEAD"}:
        failure = Failure.UNREACHABLE
    code, sentence = _OF_DATABASE[failure]
    return error_response(request.scope, code, sentence)
