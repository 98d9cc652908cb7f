"""Random tokens of cookies, links and API keys, and what is stored of them."""

import hashlib
import secrets


def new_token() -> str:
    """Returns 256 random bits, for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """The digest that is stored and looked up. A plain SHA-256 is enough: random bits cannot be guessed by trying."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
