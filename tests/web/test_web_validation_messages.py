"""Every validation rule that a client can break has a message."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from tonnage.asgi import create_app
from tonnage.errors import Invalid
from tonnage.web.schemas import RequestModel
from tonnage.web.validation_messages import validation_error

TEXTS = [
    *("", " ", "x", "x" * 300, "\0", "\ud800", "\n", "-1", "1.5", "9" * 400, "x@y", "@", "x@example.org" * 99),
    *("2026-02-30", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2026-01-01T25:00:00Z", "606f031c"),
]
VALUES: list[Any] = [*TEXTS, None, True, 0, -1, 1.0, 1.5, 10**400, float("inf"), [], [1], {}, {"x": 1}]

ROUTES = [route for route in create_app("").routes if isinstance(route, APIRoute)]


def _models(model: type[RequestModel]) -> Iterator[type[RequestModel]]:
    yield model
    for info in model.model_fields.values():
        for part in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, RequestModel):
                yield from _models(part)


def _body_errors(model: type[RequestModel], value: object) -> list[Any]:
    everywhere = {info.alias: value for info in model.model_fields.values()}
    errors: list[Any] = []
    for body in (value, everywhere):
        try:
            model.model_validate(body)
        except ValidationError as error:
            errors += [{**one, "loc": ("body", *one["loc"], "")} for one in error.errors()]
    return errors


def _parameter_errors(dependant: Dependant, text: str) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield from _parameter_errors(dependency, text)
    for place, fields in (("path", dependant.path_params), ("query", dependant.query_params)):
        for field in fields:
            yield from field.validate(text, loc=(place, field.alias))[1]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_rule_that_can_be_reached_is_nameless(route: APIRoute) -> None:
    errors = [error for text in TEXTS for error in _parameter_errors(route.dependant, text)]
    for field in route.dependant.body_params:
        top = field.field_info.annotation
        assert isinstance(top, type)
        assert issubclass(top, RequestModel)
        errors += [error for model in _models(top) for value in VALUES for error in _body_errors(model, value)]
    assert errors or not route.dependant.body_params
    for error in errors:
        for field in validation_error([error]).fields:
            assert field.message, error
            assert field.message != "is not valid", error
            assert "{" not in field.message, error


def test_a_kind_of_error_of_ones_own_keeps_its_text() -> None:
    def refuse(_: str) -> str:
        raise PydanticCustomError("rule.even", "must be {what}, such as {{2}}", {"what": "even"})

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[str, AfterValidator(refuse)]).validate_python("x")
    error = {**caught.value.errors()[0], "loc": ("body", "number")}
    refused = validation_error([error])
    assert isinstance(refused, Invalid)
    assert refused.fields[0].message.startswith("must be even, such as ")


def test_a_kind_of_pydantics_that_has_no_sentence_repeats_nothing() -> None:
    error = {"type": "url_parsing", "loc": ("body", "url"), "msg": "hunter2 is no URL", "ctx": {"error": "hunter2"}}
    assert validation_error([error]).fields[0].message == "is not valid"
