"""The error responses of the API documents: each operation lists its own, by status, with the codes that it can have.

Most follow from what the operation takes. What only its action refuses is named at the route, with `refusals`;
tests/api/test_error_codes.py reads the actions and compares.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from tonnage.error_codes import CODES, Code, ConflictCode, RequestCode, UnavailableCode
from tonnage.web.problem import MEDIA_TYPE, problem_example, title
from tonnage.web.routing import ApiRoute, auth_dependencies

Document: TypeAlias = dict[str, Any]

CODES_OF_OPERATION = "x-error-codes"
"""The codes of an operation, for programs that read the documents."""

_TEXT = {"type": "string"}

_ABOUT: dict[int, str] = {
    400: "The JSON, or an id or day in the path or query, cannot be read",
    401: "The Authorization header is missing, or its key is unknown, expired or revoked",
    403: "The key is of the wrong kind, its role may not do this, or its organisation is locked",
    404: "There is no such object, or you have no access to it",
    409: "The current state does not allow it; `detail` has the numbers",
    410: "It is not kept any more",
    412: "It was changed since the revision of the `If-Match` header; `current` has its present state",
    413: "The body is larger than 1 MiB",
    415: "The body is not declared as JSON",
    429: "The key is used too often; try again after `Retry-After` seconds",
    422: "A field breaks a rule or is missing",
    500: "An error of the server",
    503: "It cannot be done now; try again after `Retry-After` seconds",
}

NUMBERS = {
    "remaining": "What is left, in bytes.",
    "requested": "What was asked for, in bytes.",
    "allocated": "The partner's allocation, in bytes.",
    "allocated_to_accounts": "What the partner has allocated to its storage accounts, in bytes.",
    "allocated_to_partners": "What is allocated to the contract's partners, in bytes.",
    "limit": "The largest number possible: of what the sentence names, of bytes, or of requests a second on average.",
    "burst": "How many requests can be made at once.",
    "accounts": "The number of the partner's storage accounts.",
    "partners": "The number of the distributor's partners.",
    "keys": "The number of the storage account's access keys.",
    "pending": "How many of the access keys are being created or deleted.",
}
"""The numbers of all sentences of the API, by their names in the templates."""

HEADERS: Document = {
    "X-Request-Id": {
        "schema": _TEXT,
        "description": "The id of the request: your own `X-Request-Id` if you sent one. Quote it when you report a "
        "problem.",
    },
    "Link": {
        "schema": _TEXT,
        "description": 'The next page, as `<URL>; rel="next"` (RFC 8288). Missing on the last one.',
    },
    "ETag": {
        "schema": _TEXT,
        "description": "The object's revision, for `If-Match`. It changes with what people set, and not with usage.",
    },
    "Idempotency-Replayed": {"schema": _TEXT, "description": "`true` if this is the response to an earlier request."},
    "RateLimit-Policy": {
        "schema": _TEXT,
        "description": 'How often the key can be used: `"default";q=500;w=10` is at most 500 requests at once, and '
        "those of 10 seconds on average. With every response to a key that works.",
    },
    "RateLimit": {
        "schema": _TEXT,
        "description": 'What is left: with `"default";r=480;t=1`, 480 requests can be made at once, and in 1 second '
        "the whole quota is there again. With `r=0`, `t` is when the next request can be made.",
    },
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before the next attempt."},
    "WWW-Authenticate": {"schema": _TEXT, "description": "How to authenticate: `Bearer`."},
    "Allow": {"schema": _TEXT, "description": "The methods of the path, separated by commas."},
}


COMMON_HEADERS = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
"""Those of every response to a key that works."""


def refusals(*codes: Code) -> Document:
    """What an operation's action can refuse, beyond what follows from its parameters: the `openapi_extra` of its
    route.
    """
    return {CODES_OF_OPERATION: list(map(str, codes))}


def problem_schema() -> Document:
    """The schema of a problem."""
    return {
        "type": "object",
        "description": "An error, as defined by RFC 9457.",
        "required": ["type", "title", "status", "code", "detail", "message", "requestId"],
        "properties": {
            "type": {**_TEXT, "format": "uri-reference", "description": "The address of the page about the code."},
            "title": {**_TEXT, "description": "The name of the status."},
            "status": {"type": "integer", "description": "The status of the response."},
            "code": {
                **_TEXT,
                "enum": sorted(map(str, CODES)),
                "description": "What is wrong, for programs: one of a closed list. Codes never change; sentences may.",
            },
            "detail": {**_TEXT, "description": "What is wrong and what to do, for people."},
            "message": {**_TEXT, "description": "The same text as `detail`."},
            **{
                to_camel(name): {"type": "integer", "format": "int64", "description": about}
                for name, about in NUMBERS.items()
            },
            "errors": {
                "type": "array",
                "description": "The fields that are wrong, if the error is about fields.",
                "items": {
                    "type": "object",
                    "description": "A field that is wrong.",
                    "required": ["field", "message"],
                    "properties": {
                        "field": {**_TEXT, "description": "The field's name, with dots for nested objects."},
                        "message": {**_TEXT, "description": "What is wrong with it; it continues the field's name."},
                    },
                },
            },
            "current": {"type": "object", "description": "The present state of what was to be changed, after 412."},
            "requestId": {**_TEXT, "description": "The value of the X-Request-Id header."},
        },
    }


def codes_of(route: APIRoute, operation: Document, schemas: Document) -> list[Code]:
    """The codes that an operation can answer with, in the order of the list."""
    named = operation.get(CODES_OF_OPERATION, ())
    codes: set[Code] = {code for code in CODES if str(code) in named}
    codes |= {RequestCode.INTERNAL_ERROR, UnavailableCode.DATABASE_UNAVAILABLE, UnavailableCode.LOCKED}
    for check in auth_dependencies(route.dependant):
        codes |= {RequestCode.AUTHORIZATION_MISSING, RequestCode.KEY_UNKNOWN, RequestCode.KEY_REVOKED}
        codes |= {RequestCode.KEY_EXPIRED, RequestCode.ORGANISATION_LOCKED, UnavailableCode.BUSY}
        codes.add(RequestCode.TOO_MANY_REQUESTS)
        if (route.methods or set()) - {"GET", "HEAD"}:
            codes.add(RequestCode.PARTNER_SUSPENDED)
        if check.restricts:
            codes |= {RequestCode.WRONG_KEY_KIND, RequestCode.ROLE_TOO_LOW}
    if route.body_field is not None:
        codes |= {RequestCode.MALFORMED_BODY, RequestCode.BODY_TOO_LARGE, RequestCode.UNSUPPORTED_MEDIA_TYPE}
        codes.add(RequestCode.VALIDATION_FAILED)
        if _has_id(operation["requestBody"], schemas):
            codes.add(RequestCode.NOT_FOUND)
    if (route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
        codes |= {ConflictCode.CHANGED_MEANWHILE, UnavailableCode.DATABASE_READ_ONLY, UnavailableCode.IN_DOUBT}
        codes |= set(route.change_codes if isinstance(route, ApiRoute) else ())
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            codes |= {RequestCode.MALFORMED_PARAMETER, RequestCode.VALIDATION_FAILED}
        elif parameter["in"] == "path":
            codes.add(RequestCode.NOT_FOUND)
            if parameter["schema"].get("format"):
                codes.add(RequestCode.MALFORMED_PARAMETER)
    return [code for code in CODES if code in codes]


def _has_id(node: object, schemas: Document) -> bool:
    if isinstance(node, list):
        return any(_has_id(item, schemas) for item in cast("list[object]", node))
    if not isinstance(node, dict):
        return False
    members = cast("dict[str, object]", node)
    if "$ref" in members:
        return _has_id(schemas[str(members["$ref"]).rpartition("/")[2]], schemas)
    return members.get("format") in {"uuid", "region"} or any(_has_id(item, schemas) for item in members.values())


def add_error_responses(responses: Document, codes: Iterable[Code], components: Document) -> None:
    """Adds a response for each status of the codes. Those of several operations are the same object in the
    components.
    """
    by_status: dict[int, list[Code]] = defaultdict(list)
    for code in codes:
        by_status[code.status].append(code)
    for status, own in sorted(by_status.items()):
        responses[str(status)] = {"$ref": f"#/components/responses/{_shared(status, own, components)}"}


def _shared(status: int, codes: list[Code], components: Document) -> str:
    """The name of the response with these codes: that of its status, and a number for further ones."""
    response = _response(status, codes)
    shared: Document = components.setdefault("responses", {})
    for code in codes:
        components.setdefault("examples", {})[str(code)] = {
            "summary": code.explanation.meaning,
            "value": problem_example(code),
        }
    stem = title(status).replace(" ", "")
    number, name = 1, stem
    while shared.setdefault(name, response) != response:
        number += 1
        name = f"{stem}{number}"
    return name


def _response(status: int, codes: list[Code]) -> Document:
    names = COMMON_HEADERS if status != 401 else ("X-Request-Id",)
    names += {401: ("WWW-Authenticate",), 412: ("ETag",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    examples = {str(code): {"$ref": f"#/components/examples/{code}"} for code in codes}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    return {
        "description": f"{_ABOUT[status]}: {', '.join(f'`{code}`' for code in codes)}.",
        "headers": header_references(*names),
        "content": {MEDIA_TYPE: content},
    }


def header_references(*names: str) -> Document:
    """The headers of a response, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
