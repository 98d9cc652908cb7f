"""E-mail addresses: the key that equal addresses share, however they are spelled."""

import unicodedata

_LONGEST = 1000
"""Characters; a composed address has at most 254."""


def email_key(email: str) -> str:
    """The form in which addresses are compared, so that `Ann@example.org` cannot exist beside `ann@example.org`."""
    return email.casefold()


def as_typed(email: str) -> str:
    """A typed address in the form in which addresses are stored. It need not be a valid one."""
    # Truncated, since unauthenticated clients send any input: Python takes minutes to normalise a megabyte of combining
    # marks.
    typed = email.replace("\0", "").strip()[:_LONGEST]
    return unicodedata.normalize("NFC", typed).encode("utf-8", "replace").decode()
