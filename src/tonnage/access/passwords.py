"""Passwords: the rules, and their hashes."""

import asyncio
import re

from argon2 import PasswordHasher

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
    """The password itself if it is good enough for a console login: 8 to 128 characters, three of the four classes.

    Raises ValueError with the rule that it breaks.
    """
    return _check(password, 3)


def account_password(password: str) -> str:
    """The same for a storage account: 8 to 128 characters, all four classes."""
    return _check(password, 4)


class Passwords:
    """Argon2id in threads, at most two at once: a flood of sign-ups may not take the memory or every core."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        """The encoded hash. Costs some 50 ms; take no database connection before it is done."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)
