"""Forms that only our own pages can send: a browser sends its cookies along with whatever any page tells it to send.

Two defences, each enough by itself: the browser's own word about where a request comes from, and a token in every
form that another site can neither read nor guess.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

FIELD = "csrf"
"""The name of the form's field."""


def token(secret: str) -> str:
    """What forms carry for the holder of the cookie `secret`. It does not give the secret away."""
    made = hmac.digest(secret.encode(), b"form", hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def is_ours(secret: str, given: str, headers: Mapping[str, str]) -> bool:
    """Whether a form with the token `given` was sent by a page of ours to the holder of the cookie `secret`."""
    # Every browser of the last years says it; one that does not leaves it to the token.
    site = headers.get("sec-fetch-site", "same-origin")
    expected = token(secret).encode()
    return site in {"same-origin", "none"} and hmac.compare_digest(expected, given.encode("utf-8", "replace"))
