"""Forms of pages: parsed strictly, validated as a whole, and shown again with everything that was typed.

`form = bind(NewPartnerForm, fields)`, then `await form.submit(action)`. In either case the page is rendered with
`form`: its `raw` texts and its `errors` by field.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tonnage.error_codes import RequestCode
from tonnage.errors import Busy, Conflict, Invalid, Malformed, Throttled, TonnageError, Unauthenticated
from tonnage.web.body import MAX_BODY, limited
from tonnage.web.multipart import parse_multipart
from tonnage.web.number_text import WITH_POINT, NumberFormat
from tonnage.web.validation_messages import validation_error

_MOST_FIELDS = 200
_URLENCODED = re.compile(r"\s*application/x-www-form-urlencoded\s*(?:;.*)?", re.IGNORECASE | re.ASCII)
_MULTIPART = re.compile(r"\s*multipart/form-data\s*;", re.IGNORECASE | re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

T = TypeVar("T")


async def read_form(request: Request, most: int = MAX_BODY) -> dict[str, str]:
    """The fields of a body of at most `most` bytes; the last value of a name that occurs twice. Those of a form with
    files: see multipart.py.

    Raises 413 and 415, Malformed.
    """
    kind = request.headers.get("content-type", "")
    with_files = _MULTIPART.match(kind)
    if not with_files and not _URLENCODED.fullmatch(kind):
        raise HTTPException(415, "A form must be sent as application/x-www-form-urlencoded or multipart/form-data.")
    raw = await limited(request, most)
    try:
        if with_files:
            return parse_multipart(kind, raw)
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Malformed("The form cannot be read. Reload its page and try again.", RequestCode.MALFORMED_BODY) from None
    return dict(pairs)


class Form(BaseModel):
    """The fields of a form. The types are those of schemas.py; an empty field counts as not given."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, str) and _UNSTORABLE.search(value):
            raise ValueError("must not contain a NUL character or an unpaired surrogate")
        return value


def _ticked(value: object) -> object:
    return value in {True, "on"}


Checkbox: TypeAlias = Annotated[bool, BeforeValidator(_ticked)]
"""A checkbox: sent only when it is ticked, so give it the default False."""


F = TypeVar("F", bound=Form)


@dataclass
class BoundForm(Generic[F]):
    """A form as it was submitted, bound to its values."""

    raw: Mapping[str, str]
    value: F | None
    """None: a field breaks a rule; see `errors`."""
    errors: dict[str, TonnageError | str] = field(default_factory=dict[str, TonnageError | str])
    """Messages by field; under '' those about the whole form."""
    notes: dict[str, str] = field(default_factory=dict[str, str])
    """Hints about fields that have no error."""
    original: Mapping[str, str] = field(default_factory=dict[str, str])
    """The original texts of an edit form: see edit_form.py. Sent back as hidden fields."""

    async def submit(
        self, action: Callable[[F], Awaitable[T]], *, about: str = "", fields: Mapping[str, str] | None = None
    ) -> T | None:
        """Returns the result of `action` for the form's value; None if there is no value, or the action refuses it.

        An error that names no field is shown at the field `about`; `fields` maps the action's names to the form's names
        where they differ.
        """
        if self.value is None:
            return None
        try:
            return await action(self.value)
        except Invalid as error:
            names = fields or {}
            for wrong in error.fields:
                self.errors[names.get(wrong.field, wrong.field)] = wrong.message
            if not error.fields:
                self.errors[about] = error
        except Conflict as error:
            self.errors[(fields or {}).get(error.field, error.field) or about] = error
        except Unauthenticated as error:
            self.errors[about] = error
        except (Throttled, Busy) as error:
            self.errors[""] = error
        return None

    @property
    def status(self) -> int:
        """The status of the page that shows the form: 200 without errors, else 422; 409 for what only the present state
        forbids; 429; 503.
        """
        if not self.errors:
            return 200
        if isinstance(error := self.errors.get(""), Throttled | Busy):
            return error.code.status
        return 409 if any(isinstance(error, Conflict) for error in self.errors.values()) else 422

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the same page: after too many failures, or requests at once, when to try again."""
        error = self.errors.get("")
        return {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled | Busy) else {}


def bind(kind: type[F], fields: Mapping[str, str], reader: NumberFormat = WITH_POINT) -> BoundForm[F]:
    """Validates all fields at once. A size is submitted as two fields, `name` and `name_unit`.

    `reader` is for forms with numbers: see number_fields.py.
    """
    given = {name: whole_text(name, fields) for name, text in fields.items() if text.strip()}
    try:
        return BoundForm(fields, kind.model_validate(given, context=reader))
    except ValidationError as error:
        return BoundForm(fields, None, messages(error))


def whole_text(name: str, fields: Mapping[str, str]) -> str:
    """The text of a field; for a size followed by its unit."""
    text, unit = fields.get(name, ""), f"{name}_unit"
    return f"{text} {fields[unit]}" if unit in fields else text


def messages(error: ValidationError) -> dict[str, TonnageError | str]:
    """The error messages by field."""
    found = validation_error([{**wrong, "loc": ("body", *wrong["loc"])} for wrong in error.errors()])
    return {wrong.field: wrong.message for wrong in found.fields}


def unbound(kind: type[F], **raw: str) -> BoundForm[F]:
    """A form that was not submitted yet, with the initial texts of its fields."""
    return BoundForm(raw, None)
