"""Links in mails to contacts that stop them without signing in (RFC 8058): signed, since they have to work for years.

A link is about an address: that of its account may be another one since.
"""

import hashlib
import hmac
from typing import NamedTuple

from tonnage.accounts.account import account_id as read_account_id

STOP = "/unsubscribe/contact"
"""The path of the page; the token of a link follows."""

PURPOSE = b"tonnage contact mails"
"""What the keys of the instance sign these links for."""

_PARTS = 3
_HALF = 16
"""Bytes of a digest that a token has."""


def _digest(email_key: str) -> str:
    return hashlib.sha256(email_key.encode()).digest()[:_HALF].hex()


class StopLink(NamedTuple):
    """What a token says."""

    account_id: int
    digest: str
    """Of the address."""
    signature: str

    @property
    def signed(self) -> bytes:
        """What is signed."""
        return _signed(self.account_id, self.digest)

    def is_signed(self, signatures: tuple[bytes, ...]) -> bool:
        """Whether it has one of these, by the keys of the instance."""
        return any(hmac.compare_digest(one[:_HALF].hex(), self.signature) for one in signatures)

    def is_of(self, email_key: str) -> bool:
        """Whether it was sent to that address."""
        return hmac.compare_digest(self.digest, _digest(email_key))


def _signed(account_id: int, digest: str) -> bytes:
    return f"{account_id}/{digest}".encode()


def signed_text(account_id: int, email_key: str) -> bytes:
    """What is signed in the link to an address."""
    return _signed(account_id, _digest(email_key))


def stop_path(account_id: int, email_key: str, signature: bytes) -> str:
    """The path of a link."""
    return f"{STOP}/{account_id}.{_digest(email_key)}.{signature[:_HALF].hex()}"


def read_token(token: str) -> StopLink | None:
    """None: it is none."""
    parts = token.split(".")
    if len(parts) != _PARTS or not token.isascii():
        return None
    account = read_account_id(parts[0])
    return None if account is None else StopLink(account, parts[1], parts[2])
