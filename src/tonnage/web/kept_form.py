"""A form that has to wait for another one: the page that asks in between contains it, sealed.

It may contain passwords, and pages are kept by browsers and proxies. The key is derived from the session's cookie,
which no page and no database contains: who has only the page can neither read nor change the form, and a form kept
for one page is of no use to another.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken

FIELD = "kept_form"
"""The name of the field that contains it."""


def seal(secret: str, path: str, fields: Mapping[str, str]) -> str:
    """The fields that were sent to `path` by the holder of the cookie `secret`."""
    return _cipher(secret, path).encrypt(json.dumps(dict(fields)).encode()).decode()


def unseal(secret: str, path: str, sealed: str) -> dict[str, str] | None:
    """The fields again; None if they were sealed for another session or path."""
    try:
        return json.loads(_cipher(secret, path).decrypt(sealed.encode()))
    except InvalidToken:
        return None


def _cipher(secret: str, path: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"kept form " + path.encode(), hashlib.sha256)))
