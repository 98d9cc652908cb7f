"""What FastAPI and pydantic found wrong, in plain English. The input is never repeated: it may be a password."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core.core_schema import ErrorType

from tonnage.errors import FieldError, Invalid, Malformed

# Sentences continue the field's name: "name: is required".
_WHOLE_NUMBER = "must be a whole number"

_SENTENCES: dict[str, str] = {
    "missing": "is required",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "string_unicode": "must not contain an unpaired surrogate",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dataclass_type": "must be an object",
    "extra_forbidden": "is not a known field",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "finite_number": _WHOLE_NUMBER,
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}

_PYDANTICS = frozenset(get_args(ErrorType))

# The input was readable and its value is out of range, even when it stands in the query.
_BEYOND = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def refusal(errors: Sequence[Any]) -> Malformed | Invalid:
    """One refusal for the errors of a `RequestValidationError`.

    What cannot be read in path or query is Malformed and hides the rest (a 400 comes before a 422, DESIGN of the API);
    a missing query parameter, one out of range, and whatever is wrong in the body is Invalid, all fields at once.
    """
    unreadable = [error for error in errors if _unreadable(error)]
    if not unreadable and any(len(error["loc"]) == 1 for error in errors):
        return Invalid("The body must be a JSON object.")
    fields = tuple(FieldError(_field(error["loc"]), _sentence(error)) for error in unreadable or errors)
    text = "; ".join(f"{field.field}: {field.message}" for field in fields)
    return Malformed(text, fields) if unreadable else Invalid(text, fields)


def _unreadable(error: Mapping[str, Any]) -> bool:
    return error["loc"][0] != "body" and error["type"] != "missing" and error["type"] not in _BEYOND


def _field(location: Sequence[str | int]) -> str:
    # The first element says where (path, query, body); the names behind it are those on the wire.
    return ".".join(str(name) for name in location[1:])


def _sentence(error: Mapping[str, Any]) -> str:
    kind: str = error["type"]
    limits: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "value_error":  # raised by a rule of ours, whose text is such a sentence (see payload.py)
        return str(limits["error"])
    if limits.get("min_length") == 1:
        return "must not be empty"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(limits)
    # Pydantic's own texts may repeat the input; one of a kind that pydantic does not have was written for clients.
    return "is not valid" if kind in _PYDANTICS else str(error["msg"])
