"""Forms that only our own pages can send: a browser sends its cookies along with whatever any page tells it to send.

Two defences, each enough by itself: the browser's own word about where a request comes from, and a token in every
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
    """What forms carry for the holder of the cookie `secret`. It does not give the secret away.

    Another one each time, under a mask of its own: pages travel compressed and repeat what an address says, so the
    lengths of replies to guesses would otherwise tell a listener the token letter by letter (BREACH).
    """
    mask = secrets.token_bytes(_SIZE)
    return base64.urlsafe_b64encode(mask + _masked(_made(secret), mask)).decode().rstrip("=")


def is_ours(secret: str, given: str, headers: Mapping[str, str]) -> bool:
    """Whether a form with the token `given` was sent by a page of ours to the holder of the cookie `secret`."""
    # Every browser of the last years says it; one that does not leaves it to the token.
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
