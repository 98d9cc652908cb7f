"""The two API documents, generated from the handlers: OpenAPI 3.1 at /openapi.json, Swagger 2.0 at /swagger/doc.json.

The errors that an operation can return are derived from its parameters, so that no handler has to list them or can
forget one.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from tonnage.web.compression import constant_response
from tonnage.web.deprecation import DEPRECATIONS, Deprecations
from tonnage.web.paging import PARAMETERS, is_paged
from tonnage.web.problem import CRASH, MEDIA_TYPE, NO_DATABASE, title
from tonnage.web.routing import auth_dependencies
from tonnage.web.swagger2 import to_swagger2

Document: TypeAlias = dict[str, Any]

BODY_NAME = "x-codegen-request-body-name"
"""The name under which code generators expect in OpenAPI 3 what Swagger 2.0 had a place for."""

_TEXT = {"type": "string"}

_PROBLEM: Document = {
    "type": "object",
    "description": "An error, as defined by RFC 9457.",
    "required": ["type", "title", "status", "detail", "message", "requestId"],
    "properties": {
        "type": {**_TEXT, "description": "Always about:blank: the status identifies the kind of error."},
        "title": {**_TEXT, "description": "The name of the status."},
        "status": {"type": "integer"},
        "detail": {**_TEXT, "description": "What is wrong and what to do."},
        "message": {**_TEXT, "description": "The same text as `detail`."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong, if the error is about fields.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {**_TEXT, "description": "The field's name, with dots for nested objects."},
                    "message": _TEXT,
                },
            },
        },
        "requestId": {**_TEXT, "description": "The value of the X-Request-Id header."},
    },
}

_ERRORS: dict[int, str] = {
    400: "The JSON, or an id or day in the path or query, cannot be read.",
    401: "The Authorization header is missing, or its key is unknown, expired or revoked.",
    403: "The key is of the wrong kind, or its role may not do this.",
    404: "There is no such object, or you have no access to it.",
    409: "The current state does not allow it; `detail` has the numbers.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not declared as JSON.",
    422: "A field breaks a rule or is missing.",
    500: "An error of the server.",
    503: "The database or the cluster cannot be reached; try again after `Retry-After` seconds.",
}


_SENTENCES: dict[int, str] = {
    400: "contractID: must be a UUID of 36 characters",
    401: "Authorization header is missing",
    403: "This is a partner's key with the role viewer; this operation needs a partner's key with the role staff or "
    "admin.",
    404: "There is no partner 4b14e456-ef23-46ed-9070-f5eaf1b5ef04.",
    409: "Not enough capacity: the contract has 2 TB (2000000000000 bytes) left for this partner, 5 TB "
    "(5000000000000 bytes) asked. Ask for less, or have the contract amended.",
    413: "The body is larger than 1048576 bytes. Send a smaller one.",
    415: "The body must be JSON. Send it with the header Content-Type: application/json.",
    422: "name: is required",
    500: CRASH,
    503: NO_DATABASE,
}
"""Examples of the `detail` of each."""


def install(app: FastAPI, deprecations: Deprecations = DEPRECATIONS) -> None:
    """Serves both documents. Each is generated at its first request, from the routes that `app` has then."""

    def document() -> Document:
        return openapi_document(app, deprecations)

    app.add_route("/openapi.json", _serving(document), include_in_schema=False)
    app.add_route("/swagger/doc.json", _serving(lambda: to_swagger2(document(), "/v1")), include_in_schema=False)


def openapi_document(app: FastAPI, deprecations: Deprecations = DEPRECATIONS) -> Document:
    """The OpenAPI 3.1 document of every operation in the schema; title, version and so on are the app's."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, tags=app.openapi_tags, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own error schemas
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["responses"] = {_name(status): _error(status) for status in _ERRORS}
    components["securitySchemes"] = {"Bearer": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    ids: set[str] = set()
    for route, operation in _operations(app, document):
        _complete(route, operation, schemas)
        name = operation["operationId"]
        if name in ids:
            raise ValueError(f"two operations are named {name}; rename one of the handlers")
        ids.add(name)
        if any(f"{method} {route.path}" in deprecations for method in route.methods or ()):
            operation["deprecated"] = True
    return _whole_numbers(document)


def _serving(make: Callable[[], Document]) -> Callable[[Request], Response]:
    @cache
    def content() -> bytes:
        return json.dumps(make(), ensure_ascii=False, separators=(",", ":")).encode()

    # Not async: Starlette runs it in a thread, so that generating a document blocks no other request.
    def serve(request: Request) -> Response:
        return constant_response(request.headers, content(), "application/json")

    return serve


def _operations(app: FastAPI, document: Document) -> Iterator[tuple[APIRoute, Document]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema and context.path_format:
            for method in context.methods or ():
                yield route, document["paths"][context.path_format][method.lower()]


def _complete(route: APIRoute, operation: Document, schemas: Document) -> None:
    _name_and_describe(route, operation)
    if is_paged(route.dependant):
        operation["parameters"] = [*operation.get("parameters", ()), *PARAMETERS]
    responses = operation["responses"]
    for status, response in responses.items():
        if response["description"] == "Successful Response":
            response["description"] = HTTPStatus(int(status)).phrase
    responses.pop("422", None)
    for status in sorted(_statuses(route, operation, schemas)):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{_name(status)}"})
    if any(auth_dependencies(route.dependant)):
        operation["security"] = [{"Bearer": []}]
    if route.body_field is not None:
        operation[BODY_NAME] = route.body_field.alias


def _name_and_describe(route: APIRoute, operation: Document) -> None:
    # Code generators derive function names from the ids, so those depend only on the handler's name.
    operation["operationId"] = to_camel(route.name)
    summary, _, description = route.description.partition("\n\n")
    if summary:
        operation["summary"] = _in_one_line(summary).removesuffix(".")
        operation.pop("description", None)
    if description:
        operation["description"] = "\n\n".join(_in_one_line(paragraph) for paragraph in description.split("\n\n"))


def _in_one_line(paragraph: str) -> str:
    return " ".join(paragraph.split())  # the line ends of a docstring have no meaning here


def _statuses(route: APIRoute, operation: Document, schemas: Document) -> set[int]:
    statuses = {500, 503}
    if any(auth_dependencies(route.dependant)):
        statuses |= {401, 403}
    if route.body_field is not None:
        statuses |= {400, 413, 415, 422}
        if _has_id(operation["requestBody"], schemas):
            statuses.add(404)
    if (route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
        statuses.add(409)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            statuses |= {400, 422}
        elif parameter["in"] == "path":
            statuses.add(404)
            if parameter["schema"].get("format"):
                statuses.add(400)
    return statuses


def _has_id(node: object, schemas: Document) -> bool:
    if isinstance(node, list):
        return any(_has_id(item, schemas) for item in cast("list[object]", node))
    if not isinstance(node, dict):
        return False
    members = cast("dict[str, object]", node)
    if "$ref" in members:
        return _has_id(schemas[str(members["$ref"]).rpartition("/")[2]], schemas)
    return members.get("format") in {"uuid", "region"} or any(_has_id(item, schemas) for item in members.values())


def _whole_numbers(node: Any) -> Any:
    # FastAPI stores bounds as floats; `"minimum": 0.0` for an integer confuses code generators.
    if isinstance(node, dict):
        return {name: _whole_numbers(member) for name, member in cast("Document", node).items()}
    if isinstance(node, list):
        return [_whole_numbers(item) for item in cast("list[Any]", node)]
    return int(node) if isinstance(node, float) and node.is_integer() else node


def _name(status: int) -> str:
    return title(status).replace(" ", "")


def _error(status: int) -> Document:
    headers: Document = {"X-Request-Id": {"schema": _TEXT, "description": "Quote it when you report a problem."}}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": _TEXT}
    if status == 503:
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Seconds."}
    example = {
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "detail": _SENTENCES[status],
        "message": _SENTENCES[status],
        "requestId": "6f1c1f52-8d0f-4a8e-9a0b-0d6a5c1b7e33",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": _ERRORS[status], "headers": headers, "content": content}
