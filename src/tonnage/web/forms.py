"""Forms of pages: read strictly, checked whole, and given back with everything that was typed.

`form = fill(NewPartnerForm, fields)`, then `await form.submit(action)`; whatever comes out, the page is
drawn with `form`: its `typed` texts and its `errors` by field.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeAlias, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tonnage.errors import Conflict, Invalid, Malformed, Throttled, TonnageError, Unauthenticated
from tonnage.units import parse_size
from tonnage.web.body import limited
from tonnage.web.validation_messages import validation_error

_MOST_FIELDS = 200
_URLENCODED = re.compile(r"\s*application/x-www-form-urlencoded\s*(?:;.*)?", re.IGNORECASE | re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

T = TypeVar("T")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a urlencoded body; of a name that comes twice, the last. Raises 413 and 415, Malformed."""
    if not _URLENCODED.fullmatch(request.headers.get("content-type", "")):
        raise HTTPException(415, "A form must be sent as application/x-www-form-urlencoded.")
    raw = await limited(request)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Malformed("The form cannot be read; open its page again.") from None
    return dict(pairs)


class Form(BaseModel):
    """The fields of a form. The types are those of schemas.py; what is left empty counts as not given."""

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
"""Sent only when it is ticked: give it the default False."""


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError:
        raise ValueError("must be a number of 0 or more, of whole bytes and less than 9.3 EB") from None


Size: TypeAlias = Annotated[int, BeforeValidator(_size)]
"""Bytes, from a number and its unit."""


def typed_size(name: str, size: int) -> dict[str, str]:
    """What stands in the two fields of a size, exactly: the largest unit that needs no more than two decimals."""
    for unit, exponent in (("PB", 15), ("TB", 12), ("GB", 9), ("MB", 6)):
        amount = Decimal(size).scaleb(-exponent)
        if size and amount >= 1 and amount == round(amount, 2):
            return {name: f"{amount.normalize():f}", f"{name}_unit": unit}
    return {name: str(size), f"{name}_unit": "B" if size else "TB"}


F = TypeVar("F", bound=Form)


@dataclass
class BoundForm(Generic[F]):
    """A form as somebody has filled it in."""

    typed: Mapping[str, str]
    value: F | None
    """None: a field breaks a rule, and `errors` says which."""
    errors: dict[str, TonnageError | str] = field(default_factory=dict[str, TonnageError | str])
    """Messages by field; under '' what is about the whole form."""
    notes: dict[str, str] = field(default_factory=dict[str, str])
    """What is to be known of a field though nothing is wrong with it."""
    original: Mapping[str, str] = field(default_factory=dict[str, str])
    """The texts that a form of a thing that exists was made from: see edit_form.py. Sent back as hidden fields."""

    async def submit(
        self, action: Callable[[F], Awaitable[T]], *, about: str = "", fields: Mapping[str, str] | None = None
    ) -> T | None:
        """What `action` gives for the form's value; None if there is none, or the action refuses it.

        A refusal that names no field is about the field `about`; `fields` gives the form's names for those that the
        action names otherwise.
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
        except Throttled as error:
            self.errors[""] = error
        return None

    @property
    def status(self) -> int:
        """Of the page that shows it again: 422, 409 for what only the present state of things forbids, 429."""
        if isinstance(self.errors.get(""), Throttled):
            return 429
        return 409 if any(isinstance(error, Conflict) for error in self.errors.values()) else 422

    @property
    def headers(self) -> dict[str, str]:
        """Of the same page: when another try is looked at, after too many."""
        error = self.errors.get("")
        return {"Retry-After": str(error.retry_after)} if isinstance(error, Throttled) else {}


def bind(kind: type[F], fields: Mapping[str, str]) -> BoundForm[F]:
    """Checks all fields at once. A size is typed as two, `name` and `name_unit`."""
    given = {name: whole_text(name, fields) for name, text in fields.items() if text.strip()}
    try:
        return BoundForm(fields, kind.model_validate(given))
    except ValidationError as error:
        return BoundForm(fields, None, messages(error))


def whole_text(name: str, fields: Mapping[str, str]) -> str:
    """What a field says: its text, and behind that of a size its unit."""
    text, unit = fields.get(name, ""), f"{name}_unit"
    return f"{text} {fields[unit]}" if unit in fields else text


def messages(error: ValidationError) -> dict[str, TonnageError | str]:
    """What is wrong, by field."""
    found = validation_error([{**wrong, "loc": ("body", *wrong["loc"])} for wrong in error.errors()])
    return {wrong.field: wrong.message for wrong in found.fields}


def unbound(kind: type[F], **typed: str) -> BoundForm[F]:
    """One that nobody has sent yet, with what stands in its fields at first."""
    return BoundForm(typed, None)
