"""Kinds of values with the rules of the API: what it answers with 422 is wrong usage here, in the same words."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from tonnage.access.actor import Role
from tonnage.contracts.contract import currency, price
from tonnage.regions.region import endpoint, region_name
from tonnage.web.moment import moment
from tonnage.web.payload import Email, Name
from tonnage.web.sentences import refusal

__all__ = ["CURRENCY", "EMAIL", "ENDPOINT", "JOB", "MOMENT", "NAME", "PRICE", "REGION", "ROLE"]

T = TypeVar("T")


class _Ruled(click.ParamType[T], Generic[T]):
    """A value that `rule` reads from its text, or refuses with a ValueError."""

    def __init__(self, name: str, rule: Callable[[str], T]) -> None:
        self.name = name
        self._rule = rule

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """The value."""
        try:
            return self._rule(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _as_in_a_body(field: TypeAdapter[str]) -> Callable[[str], str]:
    def rule(text: str) -> str:
        try:
            return field.validate_python(text)
        except ValidationError as error:
            # Two-part places, as those of a field of a body.
            found = refusal([{**wrong, "loc": ("body", "value")} for wrong in error.errors()])
            raise ValueError(found.fields[0].message) from None

    return rule


def _job(text: str) -> int:
    # As many digits as surely fit the database's number.
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f"{text!r} is not the id of a job; see: tonnage jobs list")
    return int(text)


NAME = _Ruled[str]("name", _as_in_a_body(TypeAdapter[str](Name)))
EMAIL = _Ruled[str]("email", _as_in_a_body(TypeAdapter[str](Email)))
PRICE = _Ruled[Decimal]("cents", price)
CURRENCY = _Ruled[str]("currency", currency)
REGION = _Ruled[str]("name", region_name)
ENDPOINT = _Ruled[str]("url", endpoint)
MOMENT = _Ruled[datetime]("time", moment)
JOB = _Ruled[int]("id", _job)
ROLE = click.Choice([role.value for role in Role])
