"""Types of command line arguments."""

import uuid
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import click
from click.types import UUID
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import TypeAdapter, ValidationError

from tonnage.access.actor import Role
from tonnage.bigint import parse_bigint
from tonnage.billing.buyer import read_buyer_id
from tonnage.contracts.contract import currency, price
from tonnage.regions.region import endpoint, region_name
from tonnage.units import parse_size
from tonnage.utc import parse_day, parse_month
from tonnage.web.schemas import Email, Name
from tonnage.web.timestamps import parse_timestamp
from tonnage.web.validation_messages import validation_error

__all__ = [
    "BYTES",
    "CONNINFO",
    "CURRENCY",
    "DAY",
    "EMAIL",
    "ENDPOINT",
    "JOB",
    "MOMENT",
    "MONTH",
    "NAME",
    "PRICE",
    "REGION",
    "ROLE",
    "SELLER",
    "SIZE",
    "UUID",
]


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        if isinstance(value, int):
            return value
        try:
            return parse_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Conninfo(click.ParamType[str]):
    name = "url"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Checked for its form only. The driver's own message is not shown: it may repeat the password."""
        if not str(value).strip():
            # A shell variable that is not set; quietly taking the embedded database would be a surprise.
            self.fail(
                "it is empty; give the URL of a PostgreSQL database, or omit the option for the embedded one",
                param,
                ctx,
            )
        try:
            conninfo_to_dict(str(value))
        except ProgrammingError:
            self.fail("not a PostgreSQL URL; write postgresql://user:password@host/database", param, ctx)
        return str(value)


SIZE = _Size()
"""`5TB`, `250MB` or `12345B`, as bytes; only 0 needs no unit."""

CONNINFO = _Conninfo()
"""A libpq URL or connection string."""


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
            found = validation_error([{**wrong, "loc": ("body", "value")} for wrong in error.errors()])
            raise ValueError(found.fields[0].message) from None

    return rule


def _job(text: str) -> int:
    number = parse_bigint(text)
    if number is None:
        raise ValueError(f"{text!r} is not a job id; see: tonnage jobs list")
    return number


def _day(text: str) -> date:
    day = parse_day(text)
    if day is None:
        raise ValueError(f"{text!r} is not a day; write one that exists as 2026-01-31")
    return day


def _month(text: str) -> date:
    first = parse_month(text)
    if first is None:
        raise ValueError(f"{text!r} is not a month; write it as 2026-11")
    return first


def _seller(text: str) -> uuid.UUID | Literal["operator"]:
    if text == "operator":
        return "operator"
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither the id of an organisation nor `operator`") from None


def _buyer(text: str) -> uuid.UUID | int:
    found = read_buyer_id(text)
    if found is None:
        raise ValueError(f"{text!r} is no id of a contract, a partner or a storage account")
    return found


def _bytes(text: str) -> int:
    return parse_size(f"{text}B" if text.isdecimal() else text)


BYTES = _Ruled[int]("bytes", _bytes)
"""As SIZE, or a number of bytes without a unit."""
NAME = _Ruled[str]("name", _as_in_a_body(TypeAdapter[str](Name)))
EMAIL = _Ruled[str]("email", _as_in_a_body(TypeAdapter[str](Email)))
PRICE = _Ruled[Decimal]("cents", price)
CURRENCY = _Ruled[str]("currency", currency)
REGION = _Ruled[str]("name", region_name)
ENDPOINT = _Ruled[str]("url", endpoint)
MOMENT = _Ruled[datetime]("time", parse_timestamp)
DAY = _Ruled[date]("day", _day)
MONTH = _Ruled[date]("month", _month)
BUYER = _Ruled[uuid.UUID | int]("id", _buyer)
SELLER = _Ruled[uuid.UUID | Literal["operator"]]("org", _seller)
JOB = _Ruled[int]("id", _job)
ROLE = click.Choice([role.value for role in Role])
