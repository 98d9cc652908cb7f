"""What a password has to be: refused are those that are guessed first.

A rule returns the password, or raises ValueError with what is wrong, a sentence without a subject. A password that was
set under another rule goes on to open the account that it belongs to.
"""

import re
import secrets
import string
from functools import cache

from tonnage.errors import Invalid, Sentence
from tonnage.names import name_key

SHORTEST, LONGEST = 10, 128

_CLASSES = {
    "a lower-case letter": re.compile(r"[a-z]"),
    "an upper-case letter": re.compile(r"[A-Z]"),
    "a digit": re.compile(r"[0-9]"),
    "a special character": re.compile(r"[^a-zA-Z0-9]"),
}

_LEAST_WORD = 4
"""Letters: shorter words are parts of good passwords, too."""
_LEAST_REST = 8
"""Characters that a password has besides parts of the member's address and the organisation's name."""

_SIGNS_FOR_LETTERS = tuple(str.maketrans("0134578@$!", letters) for letters in ("oleastbasi", "oieastbasi"))
_START, _END = re.compile(r"^[\W\d_]+"), re.compile(r"[\W\d_]+$")
_REPEATED = re.compile(r"(.+?)\1+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")

_RANDOM = string.ascii_letters + string.digits + "-_.!"

_PERSONAL = Sentence("must not be made of the e-mail address or the name of the organisation")


def member_password(password: str) -> str:
    """Of a console login: 10 to 128 characters of any kind, none of the commonest passwords.

    `require_impersonal` is the other half of the rule.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"must have {SHORTEST} to {LONGEST} characters")
    return _uncommon(_valid_text(password))


def published_member_password(password: str) -> str:
    """The same in the published API: 8 to 128 characters, three of the four classes, none of the commonest."""
    return _uncommon(_of_classes(password, 3))


def account_password(password: str) -> str:
    """Of a storage account: 8 to 128 characters, all four classes."""
    return _of_classes(password, 4)


def require_impersonal(password: str, email: str, organisation: str, *, field: str = "password") -> None:
    """Invalid: what the password has besides parts of the address and the name is too short."""
    plain = rest = _letters(password)
    for word in sorted(_words(email) | _words(organisation), key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != plain and len(rest) < _LEAST_REST:
        raise Invalid.field(field, _PERSONAL)


def _valid_text(password: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise ValueError("must be valid Unicode text")
    return password


def _of_classes(password: str, needed: int) -> str:
    if not 8 <= len(password) <= LONGEST:
        raise ValueError("must have 8 to 128 characters")
    _valid_text(password)
    lacking = [name for name, pattern in _CLASSES.items() if not pattern.search(password)]
    if len(_CLASSES) - len(lacking) < needed:
        wanted = "must contain" if needed == len(_CLASSES) else f"must contain {needed} of"
        raise ValueError(f"{wanted} a lower-case letter, an upper-case letter, a digit and a special character")
    return password


def _uncommon(password: str) -> str:
    if _is_common(password.lower()):
        raise ValueError("must not be one of the commonest passwords, such as a word with a number")
    return password


def _is_common(password: str) -> bool:
    """Whether it is on the list: as it is, with letters for signs (`p@ssw0rd`), without digits and signs at the ends,
    or several times in a row. A short text in a row, such as `abcabcabcabc`, is common too.
    """
    common = _common_passwords()
    whole = _REPEATED.fullmatch(password)
    once = whole[1] if whole else password
    ended = _END.sub("", once)
    words = {word for word in (ended, _START.sub("", ended)) if len(word) >= _LEAST_WORD}
    tried = {password, once, *words}
    tried |= {text.translate(letters) for text in tried for letters in _SIGNS_FOR_LETTERS}
    return len(once) < _LEAST_WORD or not tried.isdisjoint(common)


@cache
def _common_passwords() -> frozenset[str]:
    """In lower case. Loaded when the first password is set: the module takes a fifth of a second."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(FREQUENCY_LISTS["passwords"])


def _words(name: str) -> set[str]:
    """Of `ann.miller@example.com`: the whole, `annmiller`, `examplecom`, `miller`, `example`."""
    words = {_letters(part) for side in name.split("@") for part in (side, *_BETWEEN_WORDS.split(side))}
    return {word for word in words | {_letters(name)} if len(word) >= _LEAST_WORD}


def _letters(text: str) -> str:
    return _BETWEEN_WORDS.sub("", name_key(text))


def random_password() -> str:
    """A new one, for a member or a storage account."""
    while True:
        password = "".join(secrets.choice(_RANDOM) for _ in range(20))
        try:
            return account_password(member_password(password))
        except ValueError:  # by chance, a class of characters is missing
            continue
