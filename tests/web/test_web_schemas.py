from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from tonnage.web.body import parse
from tonnage.web.schemas import Capacity, Day, Email, Flag, Name, RequestModel, ResponseModel, Text, UuidBody, UuidPath

ID = "606f031c-0f85-4444-8c7d-4a8f1ede7cd3"


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Name, "  Test partner ", "Test partner"),
        (Name, 'O"Neill & Söhne 🚀 שלום', 'O"Neill & Söhne 🚀 שלום'),
        (Name, "x" * 200 + "  ", "x" * 200),
        (Capacity, 0, 0),
        (Capacity, 2**63 - 1, 2**63 - 1),
        (UuidPath, ID.upper(), UUID(ID)),
        (UuidBody, ID, UUID(ID)),
        (Day, "2028-02-29", date(2028, 2, 29)),
        (Email, " Anna@EXAMPLE.com ", "Anna@example.com"),
        (Flag, False, False),
        (Text, " as it is ", " as it is "),
    ],
)
def test_reads(kind: Any, value: object, read: object) -> None:
    assert TypeAdapter(kind).validate_python(value) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((Name, value) for value in ("", "  ", "x" * 201, "a\tb", "a\nb", "a\0b", "a\x85b", "a\ud800", 5, None)),
        *((Capacity, value) for value in (-1, 2**63, 1.0, "1", True, None, float("inf"))),
        *((UuidPath, value) for value in (ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}")),
        *((UuidBody, value) for value in (5, None, UUID(ID).bytes, ID + "\n", "٦" + ID[1:])),
        *((Day, value) for value in ("2026-02-29", "2026-2-9", "20260209", "2026-02-09T00:00", 20260209, None)),
        *((Email, value) for value in ("a", "a@b", "a b@c.de", "a@b.c\0", f"{'a' * 64}@{'b' * 190}.com", 5)),
        *((Flag, value) for value in (0, 1, "true", None)),
        *((Text, value) for value in (5, None)),
    ],
)
def test_refuses(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


class Thing(RequestModel):
    contract_id: UuidBody
    text: Text = ""


def test_whole_objects_can_be_sent_back() -> None:
    sent = {"contractId": ID, "contract_id": "ignored", "unknown\ud800": "\0\ud800"}
    assert Thing.model_validate(sent) == Thing.model_validate({"contractId": ID})


class Change(RequestModel):
    nullable = frozenset({"until"})

    name: Name | None = None
    capacity: Capacity | None = None
    text: Text = "default"
    until: Day | None = None
    thing: Thing | None = None


def test_null_is_absent() -> None:
    """Also where the default is another value, and in nested objects; `nullable` fields keep it."""
    empty = Change.model_validate({})
    change = Change.model_validate(dict.fromkeys(("name", "capacity", "text", "thing", "unknown")))
    assert (change, change.model_fields_set) == (empty, set())
    assert Change.model_validate({"until": None}).model_fields_set == {"until"}
    nested = Change.model_validate({"thing": {"contractId": ID, "text": None}})
    assert (nested.thing, nested.model_fields_set) == (Thing.model_validate({"contractId": ID}), {"thing"})
    with pytest.raises(ValidationError, match="must not be null"):
        Thing.model_validate({"contractId": None})


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\ud800"', '"\\udc00x"'])
def test_unstorable_text_is_refused_in_any_field(text: str) -> None:
    with pytest.raises(ValidationError):
        Thing.model_validate(parse(f'{{"contractId": "{ID}", "text": {text}}}'.encode()))


class Reply(ResponseModel):
    client_id: str
    details: str | None = None


def test_an_answers_optional_field_is_left_out_never_null() -> None:
    schema = Reply.model_json_schema(mode="serialization")
    assert schema["properties"]["details"]["type"] == "string"
    assert schema["required"] == ["client_id"]
