"""Request and response models: the shared field types, each with the schema that documents it.

All are strict: no number is parsed from a text, no text from a number. The place of a value decides the status, not its
type: a malformed id is 400 in a path and 422 in a body (see validation_messages.py).

A rule of a feature becomes a type with `AfterValidator(rule)`: `rule` returns the value or raises ValueError. Its text
is sent to the client after the field's name, so it is a sentence without a subject that never repeats the input.
"""

import re
from datetime import date
from typing import Annotated, Any, ClassVar, TypeAlias, cast
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from tonnage.email_address import email_address
from tonnage.errors import Sentence
from tonnage.names import is_visible, reordering_character
from tonnage.units import MAX_CAPACITY
from tonnage.utc import parse_day
from tonnage.web.body import MAX_EXACT

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class RequestModel(BaseModel):
    """A JSON object that clients send: camelCase in JSON, snake_case here.

    Unknown members are ignored, because clients send whole objects back. A field that may be omitted may be null, which
    is the same: many languages write null for what was not set. Only where `nullable` names a field, null is a value
    and removes something. No text may contain what JSON can escape and PostgreSQL cannot store: a NUL, half of a
    surrogate pair.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=False,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, members: Any) -> Any:
        if not isinstance(members, dict):
            return members
        given = cast("dict[str, Any]", members)
        if None not in given.values():
            return given
        absent = {
            field.alias
            for name, field in cls.model_fields.items()
            if not field.is_required() and name not in cls.nullable
        }
        return {name: value for name, value in given.items() if value is not None or name not in absent}

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and info.field_name not in cls.nullable:
            raise ValueError("must not be null")
        return value

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, str) and _UNSTORABLE.search(value):
            raise ValueError("must not contain a NUL character or an unpaired surrogate")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Null is documented only where it is a value."""
        return _without_null(core_schema, handler, {to_camel(name) for name in cls.nullable})


class ResponseModel(BaseModel):
    """The schema of a response, for the API documents only: PostgreSQL renders responses. Attributes are named as in
    JSON.

    A field that is `| None = None` may be missing; it is never null.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)
    has_revision: ClassVar[bool] = False
    """Whether its responses have an ETag."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Without the null that pydantic adds to an optional field."""
        return _without_null(core_schema, handler, set())


def with_example(*examples: dict[str, Any]) -> ConfigDict:
    """The `model_config` of a RequestModel or ResponseModel with an example or several. The page for trying the API
    offers the first one for editing.
    """
    return ConfigDict(json_schema_extra={"examples": list(examples)})


def _without_null(core_schema: CoreSchema, handler: GetJsonSchemaHandler, nullable: set[str]) -> dict[str, Any]:
    reference = handler(core_schema)
    for name, member in handler.resolve_ref_schema(reference).get("properties", {}).items():
        choices = [choice for choice in member.get("anyOf", ()) if choice.get("type") != "null"]
        if len(choices) == 1 and name not in nullable:
            del member["anyOf"], member["default"]
            member.update(choices[0])
    return reference


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters, such as line breaks or tabs")
    if character := reordering_character(text):
        raise ValueError(
            Sentence("must not contain U+{code}, which reverses the order of letters", code=f"{ord(character):04X}")
        )
    if not is_visible(text):
        raise ValueError("must contain a visible character")
    return text


def _written_out(number: object) -> object:
    # `web.body.parse` has made an int of every smaller one.
    if isinstance(number, float) and abs(number) >= MAX_EXACT:
        raise ValueError(Sentence("must be written with digits alone if it is more than {most}", most=MAX_EXACT))
    return number


def _within_bigint(number: int) -> int:
    if number > MAX_CAPACITY:
        raise ValueError(Sentence("must be {most} or less", most=MAX_CAPACITY))
    return number


class _UuidAsSent(UUID):
    """One with capital letters: sentences repeat it so, and the client finds in its log what it has sent."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        object.__setattr__(self, "sent", text)  # a UUID permits no assignment

    def __str__(self) -> str:
        return vars(self)["sent"]


def _uuid(value: object) -> object:
    # UUID() also accepts braces, a URN prefix and no hyphens; those would be other names for the same thing.
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value) if value.islower() or value.isnumeric() else _UuidAsSent(value)
    raise ValueError("must be a UUID of 36 characters")


def _day(value: object) -> object:
    if isinstance(value, str) and (day := parse_day(value)):
        return day
    raise ValueError("must be a date, written YYYY-MM-DD")


Name: TypeAlias = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
]
"""1 to 200 characters after trimming, one of them visible, without control characters and changes of direction."""

RegionName: TypeAlias = Annotated[Name, Field(json_schema_extra={"format": "region"})]
"""The name of an existing region; else 404."""

Text: TypeAlias = Annotated[str, Strict()]
"""Any text; its rule is elsewhere (passwords). In a RequestModel it is a text that can be stored."""

PASSWORD = Field(json_schema_extra={"format": "password", "minLength": 8, "maxLength": 128})
"""Used with a Text: the part of the rules that the API documents can express."""

Flag: TypeAlias = Annotated[bool, Strict()]

Capacity: TypeAlias = Annotated[
    int,
    Field(strict=True, ge=0, json_schema_extra={"format": "int64"}),
    BeforeValidator(_written_out),
    AfterValidator(_within_bigint),
]
"""Bytes, 0 to 2^63 - 1. The documents say `int64`: FastAPI would round that number up as a `maximum`."""

Bytes: TypeAlias = Annotated[int, Field(json_schema_extra={"format": "int64"})]
"""In a ResponseModel. Without the format, code generators assume 32 bits."""

UuidText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""In a ResponseModel."""

AccountIdText: TypeAlias = Annotated[str, Field(json_schema_extra={"pattern": "^[0-9]{12}$"})]
"""The id of a storage account in a ResponseModel."""

EmailText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "email"})]
"""In a ResponseModel."""

UrlText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "uri"})]
"""In a ResponseModel."""

DayText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date"})]
"""`YYYY-MM-DD` in a ResponseModel."""

TimestampText: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC in a ResponseModel."""

UuidPath: TypeAlias = Annotated[UUID, BeforeValidator(_uuid)]
"""The 36-character form. Else 400."""

UuidBody: TypeAlias = Annotated[UUID, BeforeValidator(_uuid)]
"""The same in a body. Else 422."""

Day: TypeAlias = Annotated[date, BeforeValidator(_day)]
"""`YYYY-MM-DD`. Else 400 in a query, 422 in a body."""

Email: TypeAlias = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, max_length=254), AfterValidator(email_address),
    Field(json_schema_extra={"format": "email"}),
]  # fmt: skip
"""An address in the form in which it is stored."""
