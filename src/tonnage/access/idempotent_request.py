"""A request with an Idempotency-Key, as the statement that makes its change stores it beside the response."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class IdempotentRequest:
    """An attempt to make a change once (draft-ietf-httpapi-idempotency-key-header)."""

    key: str
    """The client's, unique within its organisation."""
    attempt: UUID
    """This very request, as opposed to others with the same key."""
    digest: bytes
    """An HMAC of method, path, query and body."""
    status: int
    """The status of the response if the change is made."""
    at: datetime
    """By the wall clock."""

    def as_json(self) -> dict[str, object]:
        """As the SQL function `save_response` reads it."""
        return {
            "key": self.key,
            "attempt": str(self.attempt),
            "digest": self.digest.hex(),
            "status": self.status,
            "at": self.at.isoformat(),
        }
