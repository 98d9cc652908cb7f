"""The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header), and what is stored for it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.error_codes import ConflictCode, RequestCode
from tonnage.errors import Conflict, InProgress, Invalid, Malformed

RETENTION = timedelta(hours=24)
"""For how long the same request gets the same response."""

NO_CONTENT = 204

RETRY_AFTER = 5
"""Seconds."""

_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)


class SavedResponse(NamedTuple):
    """The response to the request that has used a key."""

    attempt: UUID
    """The request."""
    request_digest: bytes
    status: int
    response: bytes | None
    """The body; None: it has none, or it is not known yet."""
    revision: int | None
    """For the ETag."""
    sealed_secret: str | None
    """The secret key of a new access key."""
    pending_until: datetime | None
    """The request waits for a cluster. From this time on, another one may start anew."""

    @property
    def is_done(self) -> bool:
        """Whether the change is made, and this is its response."""
        return self.pending_until is None

    @property
    def is_deletion(self) -> bool:
        """Whether the response has no body. While it is pending, what is to be deleted may be gone already."""
        return self.status == NO_CONTENT

    def is_pending(self, now: datetime) -> bool:
        """Whether the request may still be waiting for a cluster."""
        return self.pending_until is not None and self.pending_until > now


def key_of(values: Sequence[str]) -> str:
    """The key in the values of the header, with or without quotes. Malformed."""
    key = values[0].strip() if len(values) == 1 else ""
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise Malformed(
            "The header Idempotency-Key must be given once, with 1 to 255 visible ASCII characters. Use a new UUID for "
            "each change."
        )
    return key


def in_progress() -> InProgress:
    """The error for a request whose first attempt has no response yet."""
    return InProgress(
        "A request with this Idempotency-Key is in progress. Send it again in a few seconds.", retry_after=RETRY_AFTER
    )


def other_request() -> Invalid:
    """The error for a key that was used for a request with another method, path, query or body."""
    return Invalid(
        "This Idempotency-Key was used for a different request. Use a new key for each change.",
        code=RequestCode.IDEMPOTENCY_MISMATCH,
    )


def secret_is_lost() -> Conflict:
    """The error for a secret that cannot be decrypted any more."""
    return Conflict(
        "The access key was created, but its secret cannot be shown again, because the operator has replaced the "
        "keys of this installation. Delete it, and create another one.",
        ConflictCode.SECRET_NOT_KEPT,
    )
