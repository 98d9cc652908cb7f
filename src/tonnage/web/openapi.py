"""The two API documents, generated from the handlers: OpenAPI 3.1 at /openapi.json, Swagger 2.0 at /swagger/doc.json.

The errors that an operation can return are derived from its parameters, so that no handler has to list them or can
forget one.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from tonnage.error_codes import RequestCode
from tonnage.web.compression import constant_response
from tonnage.web.deprecation import DEPRECATIONS, Deprecations
from tonnage.web.entity_tag import PARAMETER as ENTITY_TAG
from tonnage.web.error_responses import (
    CODES_OF_OPERATION,
    COMMON_HEADERS,
    HEADERS,
    add_error_responses,
    codes_of,
    header_references,
    problem_schema,
)
from tonnage.web.paging import paging_parameters
from tonnage.web.routing import ApiRoute, auth_dependencies
from tonnage.web.swagger2 import to_swagger2

Document: TypeAlias = dict[str, Any]

BODY_NAME = "x-codegen-request-body-name"
"""The name under which code generators expect in OpenAPI 3 what Swagger 2.0 had a place for."""


def install(
    app: FastAPI,
    deprecations: Deprecations = DEPRECATIONS,
    path_parameters: Mapping[str, Document] | None = None,
) -> None:
    """Serves both documents. Each is generated at its first request, from the routes that `app` has then.

    `path_parameters`: what they say about the parameters of paths, by their names.
    """
    app.state.path_parameters = path_parameters or {}

    def document() -> Document:
        return openapi_document(app, deprecations)

    app.add_route("/openapi.json", _serving(document), include_in_schema=False)
    app.add_route("/swagger/doc.json", _serving(lambda: to_swagger2(document(), "/v1")), include_in_schema=False)


def openapi_document(app: FastAPI, deprecations: Deprecations = DEPRECATIONS) -> Document:
    """The OpenAPI 3.1 document of every operation in the schema; title, version and so on are the app's."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        contact=app.contact,
        license_info=app.license_info,
        tags=app.openapi_tags,
        routes=app.routes,
        servers=[{"url": "/"}],
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own error schemas
        schemas.pop(unused, None)
    schemas["Problem"] = problem_schema()
    components["securitySchemes"] = {"Bearer": {"type": "http", "scheme": "bearer", "description": "An API key."}}
    parameters: Mapping[str, Document] = getattr(app.state, "path_parameters", {})
    ids: set[str] = set()
    for route, operation in _operations(app, document):
        _complete(route, operation, components, parameters)
        name = operation["operationId"]
        if name in ids:
            raise ValueError(f"two operations are named {name}; rename one of the handlers")
        ids.add(name)
        if any(f"{method} {route.path}" in deprecations for method in route.methods or ()):
            operation["deprecated"] = True
    components["headers"] = HEADERS
    used = set(_references(document))
    for kind in ("headers", "schemas"):
        members = components[kind].items()
        components[kind] = {name: member for name, member in members if f"#/components/{kind}/{name}" in used}
    return _tidy(document)


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


def _complete(route: APIRoute, operation: Document, components: Document, parameters: Mapping[str, Document]) -> None:
    _name_and_describe(route, operation)
    for parameter in operation.get("parameters", ()):
        about = parameters.get(parameter["name"], {}) if parameter["in"] == "path" else {}
        parameter |= {name: value for name, value in about.items() if name != "schema"}
        parameter["schema"] |= about.get("schema", {})
    headers = _add_parameters(route, operation)
    responses = operation["responses"]
    responses.pop("422", None)
    for status, response in responses.items():
        if response["description"] == "Successful Response":
            response["description"] = HTTPStatus(int(status)).phrase
        response["headers"] = header_references(*COMMON_HEADERS, *headers)
    codes = codes_of(route, operation, components["schemas"])
    operation[CODES_OF_OPERATION] = list(map(str, codes))
    add_error_responses(responses, codes, components)
    # Said even where there is none: without it, linters take an open operation for a forgotten one.
    operation["security"] = [{"Bearer": []}] if any(auth_dependencies(route.dependant)) else []
    if route.body_field is not None:
        operation[BODY_NAME] = route.body_field.alias
        body = operation["requestBody"]
        model = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        if about := components["schemas"][model].get("description"):
            body["description"] = about


def _add_parameters(route: APIRoute, operation: Document) -> list[str]:
    """Adds the parameters that no handler has in its signature. Returns the headers of its own successful response."""
    parameters, headers = operation.setdefault("parameters", []), list[str]()
    if paging := paging_parameters(route.dependant):
        parameters += paging
        headers.append("Link")
    if any(getattr(response.get("model"), "has_revision", False) for response in route.responses.values()):
        headers.append("ETag")
    if str(RequestCode.PRECONDITION_FAILED) in operation.get(CODES_OF_OPERATION, ()):
        parameters.append(ENTITY_TAG)
    if isinstance(route, ApiRoute) and route.methods != {"GET"}:
        parameters += route.change_parameters
        headers += ["Idempotency-Replayed"] if route.change_parameters else []
    if not parameters:
        del operation["parameters"]
    return headers


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


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _references(item)
    elif isinstance(node, dict):
        for name, member in cast("Document", node).items():
            if name == "$ref":
                yield str(member)
            yield from _references(member)


def _tidy(node: Any) -> Any:
    """Without the titles that pydantic makes from names, and without FastAPI's bounds as floats: `"minimum": 0.0` for
    an integer confuses code generators.
    """
    if isinstance(node, dict):
        members = cast("Document", node)
        is_schema = isinstance(members.get("title"), str) and "version" not in members and "detail" not in members
        return {name: _tidy(member) for name, member in members.items() if not (is_schema and name == "title")}
    if isinstance(node, list):
        return [_tidy(item) for item in cast("list[Any]", node)]
    return int(node) if isinstance(node, float) and node.is_integer() else node
