"""E-mail addresses: what is one, and the one form in which they are compared, however they are spelled.

No other file folds, trims or compares addresses.
"""

import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

_LONGEST = 1000
"""Characters; a composed address has at most 254."""


def email_address(text: str) -> str:
    """The address in the form in which it is stored, shown and sent to. Raises ValueError: it is none.

    Its letters keep their case before the @ and are composed (NFC); the domain is in lower case and readable
    (`münchen.example`, also when written `xn--mnchen-3ya.example`). The DNS is not asked for the domain.
    """
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:  # its own message repeats parts of the input
        raise ValueError("must be an e-mail address, such as name@company.com") from None


def email_key(text: str) -> str:
    """What all spellings of an address share, so that `Ann@example.org` cannot exist beside `ann@example.org`.

    Of any typed text; it need not be an address. Before the @ composed (NFC) and in lower case; the
    domain as it is in the DNS (A-labels, by UTS 46 without transitional mappings: `ß` is not `ss`).
    """
    # Truncated, since unauthenticated clients send any input: Python takes minutes to normalise a megabyte of combining
    # marks.
    typed = text.replace("\0", "").strip()[:_LONGEST].encode("utf-8", "replace").decode()
    local, at, domain = typed.rpartition("@")
    return f"{_folded(local)}{at}{ascii_domain(domain) or _folded(domain)}" if at else _folded(typed)


def email_search(text: str) -> dict[str, str | None]:
    """What a list looks for when the text is typed into its search: `email_key` in keys, and `email_text` in addresses
    as they are stored. There an international domain is found by a part of it, which its A-label does not contain.
    """
    return {"email_key": email_key(text), "email_text": None if text.isascii() else _folded(text)}


def ascii_domain(domain: str) -> str | None:
    """The domain as it is in the DNS. None: there cannot be such a domain."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
