"""Routes whose changes are made once for each Idempotency-Key.

The statement that makes a change also stores the response, so there is no moment at which only one of the two is done.
A request whose change was made already is refused, by the unique key or by the change itself: a partner that was closed
is not found. So the stored response is looked up after a refusal, and before none.
"""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from tonnage.access.actor import Actor
from tonnage.access.idempotent_request import IdempotentRequest
from tonnage.api_keys.guard import ApiRequest, services_of
from tonnage.db import Database, broken_constraint
from tonnage.db.rendered import with_member
from tonnage.error_codes import ConflictCode, RequestCode, UnavailableCode
from tonnage.errors import Invalid, NotFound, TonnageError, Unavailable
from tonnage.idempotency import queries
from tonnage.idempotency.idempotency_key import SavedResponse, in_progress, key_of, other_request, secret_is_lost
from tonnage.sealing import Keys, SealingError, read_keys
from tonnage.services import Services
from tonnage.web.body import JsonRequest
from tonnage.web.responses import Json, NoContent
from tonnage.web.routing import ApiRoute, replace_auth_results

_log = logging.getLogger(__name__)

HEADER = "idempotency-key"
REPLAYED = {"Idempotency-Replayed": "true"}

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotentRoute(ApiRoute):
    """A route of the API. Its handler passes `call.actor.stamp` to the statement that makes the change."""

    change_codes = (
        RequestCode.MALFORMED_PARAMETER,
        RequestCode.IDEMPOTENCY_MISMATCH,
        RequestCode.IDEMPOTENCY_UNSUPPORTED,
        ConflictCode.IDEMPOTENCY_IN_PROGRESS,
        UnavailableCode.SECRETS_UNREADABLE,
    )
    change_parameters = (
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A new UUID for each change, and the same one when the request is sent again: within 24 "
            "hours the change is made once, and each time gets the same response, with `Idempotency-Replayed: true`.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    )

    def get_inner_handler(self) -> _Handler:
        """The same, once for each key."""
        inner = super().get_inner_handler()
        if not self.methods or self.methods <= {"GET", "HEAD"}:
            return inner
        status = self.status_code or 200

        async def call(request: Request) -> Response:
            if HEADER not in request.headers:
                return await inner(request)
            return await _call_once(inner, request, status)

        return call


async def _call_once(inner: _Handler, request: Request, status: int) -> Response:
    services = services_of(request)
    key = key_of(request.headers.getlist(HEADER))
    keys = _keys(services)
    digests = keys.hmacs(b"idempotency", await _content(request))
    attempt = IdempotentRequest(key, uuid4(), digests[0], status, services.wall_clock())

    def with_attempt(call: ApiRequest) -> ApiRequest:
        return replace(call, actor=replace(call.actor, request=attempt))

    (call,) = replace_auth_results(request.scope, with_attempt)
    try:
        return await inner(request)
    except (TonnageError, psycopg.Error) as error:
        saved = await _find(services.database, call.actor, attempt)
        if saved is not None:
            if saved.request_digest not in digests:
                raise other_request() from error
            if saved.is_done or (saved.is_deletion and isinstance(error, NotFound)):
                return _replay(saved, keys)
            if saved.attempt != attempt.attempt and saved.is_pending(attempt.at):
                raise in_progress() from error
        elif isinstance(error, psycopg.Error) and broken_constraint(error) == "idempotency_key_in_progress":
            raise in_progress() from error
        raise


def _keys(services: Services) -> Keys:
    if services.key_file is None:
        raise Invalid(
            "This installation cannot use the header Idempotency-Key, because it has no key file. Send the request "
            "without it, or ask the operator to set TONNAGE_SECRET_KEY_FILE.",
            code=RequestCode.IDEMPOTENCY_UNSUPPORTED,
        )
    try:
        return read_keys(services.key_file)
    except SealingError as error:
        _log.error("%s", error)
        raise Unavailable(
            "The key file of this installation cannot be read. Ask its operator.", UnavailableCode.SECRETS_UNREADABLE
        ) from error


async def _content(request: Request) -> bytes:
    """What two requests with one key must have in common. No part but the last can contain a NUL."""
    body = await request.body() if isinstance(request, JsonRequest) else b""
    scope = request.scope
    return b"\0".join((scope["method"].encode(), scope["path"].encode(), scope["query_string"], body))


async def _find(database: Database, actor: Actor, attempt: IdempotentRequest) -> SavedResponse | None:
    """What was recorded for the key. The reservation of this very attempt, which has failed, is discarded."""
    try:
        saved = await database.run(queries.find_response, actor.organisation_id, attempt.key, attempt.at)
        if saved and saved.attempt == attempt.attempt and not saved.is_done and not saved.is_deletion:
            await database.run(queries.discard_response, actor)
            return None
    except (TonnageError, psycopg.Error):
        # The first error says what is wrong. Its sender may repeat the request.
        return None
    return saved


def _replay(saved: SavedResponse, keys: Keys) -> Response:
    if saved.response is None:
        response: Response = NoContent()
    elif saved.sealed_secret is None:
        response = Json(saved.response, saved.status, saved.revision)
    else:
        try:
            secret = keys.open(saved.sealed_secret.encode()).decode()
        except SealingError as error:
            raise secret_is_lost() from error
        response = Json(with_member(saved.response, "secretKey", secret), saved.status)
    response.headers.update(REPLAYED)
    return response
