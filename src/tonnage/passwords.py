"""Passwords: the rules, and their hashes."""

import asyncio
import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_CLASSES = {
    "a lower-case letter": re.compile(r"[a-z]"),
    "an upper-case letter": re.compile(r"[A-Z]"),
    "a digit": re.compile(r"[0-9]"),
    "a special character": re.compile(r"[^a-zA-Z0-9]"),
}


def _check(password: str, classes_needed: int) -> str:
    if not 8 <= len(password) <= 128:
        raise ValueError("must have 8 to 128 characters")
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise ValueError("must be valid Unicode text")
    lacking = [name for name, pattern in _CLASSES.items() if not pattern.search(password)]
    if len(_CLASSES) - len(lacking) < classes_needed:
        wanted = "must contain" if classes_needed == len(_CLASSES) else f"must contain {classes_needed} of"
        raise ValueError(f"{wanted} a lower-case letter, an upper-case letter, a digit and a special character")
    return password


def member_password(password: str) -> str:
    """Returns the password if it is good enough for a console login: 8 to 128 characters, three of the four classes.

    Raises ValueError with the rule that is broken.
    """
    return _check(password, 3)


def account_password(password: str) -> str:
    """The same for a storage account: 8 to 128 characters, all four classes."""
    return _check(password, 4)


class Passwords:
    """Argon2id in threads, at most two at once: a flood of sign-ins must not exhaust the memory or use every core."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(2)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The encoded hash. Takes about 50 ms; acquire no database connection before it is done."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password has that hash. Without a hash (no such member) it takes as long, and is False."""
        async with self._slots:
            return await asyncio.to_thread(self._verify, encoded, password)

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with parameters that differ from the current ones."""
        return self._hasher.check_needs_rehash(encoded)

    def _verify(self, encoded: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_urlsafe())
        try:
            # The browser's bytes may not be valid Unicode; then it is not a valid password.
            matches = self._hasher.verify(encoded or self._nobodys, password.encode("utf-8", "replace"))
        except (VerificationError, InvalidHashError):
            return False
        return matches and encoded is not None
