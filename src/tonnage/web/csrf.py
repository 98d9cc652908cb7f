"""Protection against cross-site request forgery: a browser sends our cookies with requests that any page makes.

Two defences, each sufficient by itself: the browser's own headers about the origin of a request, and a token in every
form that another site can neither read nor guess.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

FIELD = "csrf"
"""The name of the form's field."""

_SIZE = 32
"""Bytes of a SHA-256."""


def token(secret: str) -> str:
    """The token that forms carry for the holder of the cookie `secret`. It does not reveal the secret.

    It differs each time, because of a random mask: pages are compressed and repeat parts of their URL, so an
    eavesdropper could otherwise find the token letter by letter from the lengths of responses to guesses (BREACH).
    """
    mask = secrets.token_bytes(_SIZE)
    return base64.urlsafe_b64encode(mask + _masked(_made(secret), mask)).decode().rstrip("=")


def is_ours(secret: str, given: str, headers: Mapping[str, str]) -> bool:
    """Whether a form with the token `given` was sent by a page of ours to the holder of the cookie `secret`."""
    # Every browser of recent years sends this header; without it the token decides.
    site = headers.get("sec-fetch-site", "same-origin")
    return site in {"same-origin", "none"} and hmac.compare_digest(_made(secret), _unmasked(given))


def _made(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"form", hashlib.sha256)


def _masked(text: bytes, mask: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))


def _unmasked(given: str) -> bytes:
    try:
        both = base64.urlsafe_b64decode(f"{given}==")
    except ValueError:
        return b""
    return _masked(both[_SIZE:], both[:_SIZE]) if len(both) == 2 * _SIZE else b""
