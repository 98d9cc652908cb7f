"""What PostgreSQL rendered, with what a caller needs to know of it: nobody parses it again."""

import json
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

Id = TypeVar("Id", UUID, int, str)


class Rendered(NamedTuple, Generic[Id]):
    """A thing as JSON, as it goes to the client, and its id."""

    id: Id
    json: bytes

    def with_member(self, name: str, value: str) -> bytes:
        """The JSON object with one more member, for a secret that the database never sees."""
        return self.json.rstrip()[:-1] + f", {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}}}".encode()
