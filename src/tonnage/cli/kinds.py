"""Kinds of option values, with errors that say what to write instead."""

import click
from click.types import UUID
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from tonnage.units import parse_size

__all__ = ["CONNINFO", "SIZE", "UUID"]


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
            self.fail("it is empty: name a PostgreSQL, or leave the option out for the embedded one", param, ctx)
        try:
            conninfo_to_dict(str(value))
        except ProgrammingError:
            self.fail("not a URL of a PostgreSQL: write postgresql://user:password@host/database", param, ctx)
        return str(value)


SIZE = _Size()
"""`5TB`, `250MB` or plain bytes, as bytes."""

CONNINFO = _Conninfo()
"""A libpq URL or connection string."""
