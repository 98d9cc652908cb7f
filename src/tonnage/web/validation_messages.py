"""Validation errors of FastAPI and pydantic in plain English. The input is never repeated: it may be a password."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from tonnage.errors import FieldError, Invalid, Malformed, Sentence, about

# Messages continue the field's name: "name: is required".
_WHOLE_NUMBER = Sentence("must be a whole number")

_SENTENCES: dict[str, str] = {
    "missing": Sentence("is required"),
    "bool_type": Sentence("must be true or false"),
    "bool_parsing": Sentence("must be true or false"),
    "string_type": Sentence("must be text"),
    "string_unicode": Sentence("must not contain an unpaired surrogate"),
    "list_type": Sentence("must be a list"),
    "dict_type": Sentence("must be an object"),
    "model_type": Sentence("must be an object"),
    "model_attributes_type": Sentence("must be an object"),
    "dataclass_type": Sentence("must be an object"),
    "extra_forbidden": Sentence("is not a known field"),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "finite_number": _WHOLE_NUMBER,
    "string_too_short": Sentence("must have at least {min_length} characters"),
    "string_too_long": Sentence("must have at most {max_length} characters"),
    "greater_than_equal": Sentence("must be {ge} or more"),
    "less_than_equal": Sentence("must be {le} or less"),
    "literal_error": Sentence("must be {expected}"),
    "enum": Sentence("must be {expected}"),
}

_PYDANTICS = frozenset(get_args(ErrorType))

# The input was readable and its value is out of range, even if it is in the query.
_BEYOND = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def validation_error(errors: Sequence[Any]) -> Malformed | Invalid:
    """One error for all errors of a `RequestValidationError`.

    Unreadable input in path or query is Malformed and hides the rest (a 400 comes before a 422, DESIGN of the API). A
    missing query parameter, one out of range, and any error in the body is Invalid, all fields at once.
    """
    unreadable = [error for error in errors if _unreadable(error)]
    if not unreadable and any(len(error["loc"]) == 1 for error in errors):
        return Invalid("The body must be a JSON object.")
    fields = tuple(FieldError(_field(error["loc"]), _sentence(error)) for error in unreadable or errors)
    return Malformed(about(*fields), fields=fields) if unreadable else Invalid.with_fields(fields)


def _unreadable(error: Mapping[str, Any]) -> bool:
    return error["loc"][0] != "body" and error["type"] != "missing" and error["type"] not in _BEYOND


def _field(location: Sequence[str | int]) -> str:
    # The first element is the location (path, query, body); the names after it are those in JSON.
    return ".".join(str(name) for name in location[1:])


def _sentence(error: Mapping[str, Any]) -> str:
    kind: str = error["type"]
    limits: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "value_error":  # raised by a rule of ours, whose text is such a message (see schemas.py)
        return _message_of(limits["error"])
    if limits.get("min_length") == 1:
        return Sentence("must not be empty")
    if kind in _SENTENCES:
        return Sentence(_SENTENCES[kind], **limits)
    # Pydantic's own texts may repeat the input; a text of a kind that pydantic does not have was written for clients.
    return Sentence("is not valid") if kind in _PYDANTICS else str(error["msg"])


def _message_of(error: ValueError) -> str:
    """The original argument: the text of the exception has lost the values of a Sentence."""
    return error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
