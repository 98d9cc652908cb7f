"""Links in mails that stop them without signing in (RFC 8058): signed, since they have to work for years."""

import hmac
from typing import NamedTuple
from uuid import UUID

from tonnage.notifications.notification_kind import Delivery

UNSUBSCRIBE = "/unsubscribe"
"""The path of the page; the token of a link follows."""

PURPOSE = b"tonnage notifications"
"""What the keys of the instance sign these links for."""


def signed_text(member_id: UUID, delivery: Delivery) -> bytes:
    """What is signed."""
    return f"{member_id}/{delivery}".encode()


def unsubscribe_path(member_id: UUID, delivery: Delivery, signature: bytes) -> str:
    """The path of a link. Its token has half of the HMAC of its text."""
    return f"{UNSUBSCRIBE}/{member_id}.{delivery}.{signature[:16].hex()}"


class UnsubscribeLink(NamedTuple):
    """What a token says."""

    member_id: UUID
    delivery: Delivery
    signature: str

    def is_signed(self, signatures: tuple[bytes, ...]) -> bool:
        """Whether it has one of these, by the keys of the instance."""
        return any(hmac.compare_digest(one[:16].hex(), self.signature) for one in signatures)


def read_token(token: str) -> UnsubscribeLink | None:
    """None: it is none."""
    member, _, rest = token.partition(".")
    delivery, _, signature = rest.partition(".")
    try:
        found = UnsubscribeLink(UUID(member), Delivery(delivery), signature)
    except ValueError:
        return None
    return found if signature.isascii() and found.delivery is not Delivery.NONE else None
