"""Converts OpenAPI 3.1 to Swagger 2.0, as far as our own documents need it. What is not supported raises an error."""

from collections.abc import Iterator
from typing import Any, TypeAlias, cast

Document: TypeAlias = dict[str, Any]

PREFIX = "api."
"""The definitions of the published document are named `api.CreatePartnerReqBody` and so on."""

_DEFINITIONS = "#/definitions/"

_PRODUCES = ("application/json", "application/problem+json")

_AUTHORIZE = "Paste `Bearer <key>`: the word Bearer, a space, then your API key."

_KEPT = (
    *("type", "format", "description", "enum", "default", "pattern", "required", "example", "readOnly"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf"),
)
_DROPPED = ("title",)


def to_swagger2(document: Document, base_path: str) -> Document:
    """The operations under `base_path`, with only the definitions that they refer to. No `host` or `schemes`: they are
    those that serve the document.

    Raises ValueError for a schema that Swagger 2.0 cannot express.
    """
    components = document["components"]
    paths = {
        path.removeprefix(base_path): {method: _operation(operation, components) for method, operation in item.items()}
        for path, item in document["paths"].items()
        if path.startswith(f"{base_path}/")
    }
    result: Document = {
        "swagger": "2.0",
        "info": document["info"],
        "basePath": base_path,
        "consumes": ["application/json"],
        "produces": list(_PRODUCES),
        "paths": paths,
        "responses": {},
        "securityDefinitions": {
            "Bearer": {"type": "apiKey", "name": "Authorization", "in": "header", "description": _AUTHORIZE}
        },
    }
    result["responses"] = {
        name: _response(components["responses"][name], components) for name in sorted(_named_responses(paths))
    }
    result["definitions"] = _reachable(components["schemas"], result)
    if "tags" in document:
        used = {tag for item in paths.values() for operation in item.values() for tag in operation.get("tags", ())}
        result["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    return result


def _operation(operation: Document, components: Document) -> Document:
    kept = ("tags", "summary", "description", "operationId", "deprecated", "security", "x-error-codes")
    result = {name: operation[name] for name in kept if name in operation}
    parameters = [_parameter(parameter) for parameter in operation.get("parameters", ())]
    if "requestBody" in operation:
        schema = _schema(operation["requestBody"]["content"]["application/json"]["schema"])
        name = operation["x-codegen-request-body-name"]
        body = operation["requestBody"]
        about = {"description": body["description"]} if "description" in body else {}
        parameters.append({"in": "body", "name": name, "required": True, **about, "schema": schema})
    if parameters:
        result["parameters"] = parameters
    result["responses"] = {
        status: _response(response, components) for status, response in operation["responses"].items()
    }
    return result


def _parameter(parameter: Document) -> Document:
    flat = {name: parameter[name] for name in ("name", "in", "required", "description") if name in parameter}
    schema = _schema(parameter["schema"])
    schema.pop("x-nullable", None)  # a parameter is present or absent, never null
    if parameter["in"] == "query" and schema.get("format") == "date":
        schema["format"] = "yyyy-mm-dd"
    return {**schema, **flat}


def _response(response: Document, components: Document) -> Document:
    if "$ref" in response:
        return {"$ref": response["$ref"].replace("#/components/responses/", "#/responses/")}
    result: Document = {"description": response["description"]}
    for content in response.get("content", {}).values():
        if content.get("schema"):
            result["schema"] = _schema(content["schema"])
        for example in content.get("examples", {}).values():
            # There is a place for one. Swagger UI looks under the type that is selected for the whole operation.
            value = components["examples"][example["$ref"].rpartition("/")[2]]["value"]
            result.setdefault("examples", dict.fromkeys(_PRODUCES, value))
    if "headers" in response:
        headers = {name: components["headers"][name] for name in response["headers"]}
        result["headers"] = {
            name: {**_schema(header["schema"]), "description": header["description"]}
            for name, header in headers.items()
        }
    return result


def _schema(schema: Document) -> Document:
    if "$ref" in schema:
        return {"$ref": f"{_DEFINITIONS}{PREFIX}{schema['$ref'].rpartition('/')[2]}"}
    result: Document = {}
    for keyword, value in schema.items():
        if keyword in _KEPT:
            result[keyword] = value
        elif keyword == "properties":
            result["properties"] = {name: _schema(member) for name, member in value.items()}
        elif keyword == "items":
            result["items"] = _schema(value)
        elif keyword == "anyOf":
            result |= _nullable(value)
        elif keyword == "examples":
            result["example"] = value[0]
        elif keyword == "const":
            result["enum"] = [value]
        elif keyword == "additionalProperties":
            result[keyword] = value if isinstance(value, bool) else _schema(value)
        elif keyword not in _DROPPED:
            raise ValueError(f"Swagger 2.0 has no {keyword}: {schema}")
    if result.get("default", result) is None:
        del result["default"]  # null is not a value of any type there
    return result


def _nullable(choices: list[Document]) -> Document:
    given = [choice for choice in choices if choice.get("type") != "null"]
    if len(given) != 1 or len(choices) != 2:
        raise ValueError(f"Swagger 2.0 has no anyOf: {choices}")
    schema = _schema(given[0])
    # Siblings of a $ref are ignored in Swagger 2.0.
    return {"allOf": [schema], "x-nullable": True} if "$ref" in schema else {**schema, "x-nullable": True}


def _reachable(schemas: Document, start: Document) -> Document:
    found: Document = {}
    waiting = list(_references(start))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _schema(schemas[name.removeprefix(PREFIX)])
            waiting.extend(_references(found[name]))
    return dict(sorted(found.items()))


def _named_responses(paths: Document) -> set[str]:
    return {
        str(response["$ref"]).rpartition("/")[2]
        for item in paths.values()
        for operation in item.values()
        for response in operation["responses"].values()
        if "$ref" in response
    }


def _references(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _references(item)
    elif isinstance(node, dict):
        for name, item in cast("dict[str, object]", node).items():
            if name == "$ref" and str(item).startswith(_DEFINITIONS):
                yield str(item).removeprefix(_DEFINITIONS)
            yield from _references(item)
