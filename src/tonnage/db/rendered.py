"""JSON that PostgreSQL rendered, with the id that a caller needs: no code parses it again."""

import json
from typing import Generic, LiteralString, NamedTuple, TypeVar
from uuid import UUID

Id = TypeVar("Id", UUID, int, str)

TIMESTAMP_FORMAT: LiteralString = """'YYYY-MM-DD"T"HH24:MI:SS"Z"'"""
"""A time as JSON has it, to the second; for to_char. Sessions of ours are in UTC."""


class Versioned(NamedTuple):
    """A thing as JSON for the client, and its revision, which changes with what people set."""

    json: bytes
    revision: int


class Rendered(NamedTuple, Generic[Id]):
    """A thing as JSON for the client, and its id."""

    id: Id
    json: bytes


def with_member(document: bytes, name: str, value: str) -> bytes:
    """A JSON object with one more member, for a secret that is never sent to the database in clear."""
    return document.rstrip()[:-1] + f", {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}}}".encode()
