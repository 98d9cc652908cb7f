"""Gives documents their numbers: those of a seller's series, in its format, without gaps."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation

from tonnage.billing_profiles.document_number import DocumentNumberFormat
from tonnage.billing_profiles.settings_queries import seller_settings
from tonnage.db import Connection, broken_constraint
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.numbering.queries import Taken, take_numbers
from tonnage.utc import day_of


async def take_next(conn: Connection, seller_id: UUID, count: int, now: datetime) -> Taken:
    """In the transaction that issues the documents: if it is undone, so is this. Others of the seller wait for it. The
    last number is recorded outside before the transaction ends: see series_actions.py."""
    settings = (await seller_settings(conn, seller_id)).settings
    form = DocumentNumberFormat.read(settings.number_format)
    return await take_numbers(conn, seller_id, form, settings.number_start, count, day_of(now))


@contextmanager
def unique_numbers() -> Generator[None]:
    """Around the statement that stores numbers. Conflict: another document of the seller has one of them."""
    try:
        yield
    except UniqueViolation as error:
        if broken_constraint(error) != "statement_number":
            raise
        raise Conflict(
            "Your format of numbers gives one that another statement has. Set another format, and try again.",
            ConflictCode.NUMBER_TAKEN,
        ) from error
