"""Links in mails that stop them without signing in (RFC 8058): signed, since they have to work for years."""

import hmac
from uuid import UUID

from tonnage.notifications.notification_kind import Delivery

STOP = "/stop-notifications"
"""The path of the page; the member, the way of delivery and the signature follow."""

PURPOSE = b"tonnage notifications"
"""What the keys of the instance sign these links for."""


def signed_text(member_id: UUID, delivery: Delivery) -> bytes:
    """What is signed."""
    return f"{member_id}/{delivery}".encode()


def stop_path(member_id: UUID, delivery: Delivery, signature: bytes) -> str:
    """The path of a link, with half of the HMAC of its text."""
    return f"{STOP}/{member_id}/{delivery}/{signature[:16].hex()}"


def is_signed(signatures: tuple[bytes, ...], given: str) -> bool:
    """Whether a link has a signature of one of the keys."""
    return any(hmac.compare_digest(one[:16].hex(), given) for one in signatures)
