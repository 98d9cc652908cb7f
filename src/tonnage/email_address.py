"""E-mail addresses: the key by which two spellings are the same address."""

import unicodedata

_LONGEST = 1000
"""Characters, of which an address has 254 once it is composed."""


def email_key(email: str) -> str:
    """The form in which addresses are compared, so that `Ann@example.org` cannot exist beside `ann@example.org`."""
    return email.casefold()


def as_typed(email: str) -> str:
    """An address as somebody types it, in the form in which addresses are kept. It need not be one at all."""
    # Cut, since strangers send what they like: a megabyte of combining marks takes Python minutes to put in order.
    typed = email.replace("\0", "").strip()[:_LONGEST]
    return unicodedata.normalize("NFC", typed).encode("utf-8", "replace").decode()
