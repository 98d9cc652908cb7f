"""What a name may contain, and its key, by which lists search and sort, the same on every server.

PostgreSQL folds and orders text by a collation, and collations differ between builds, libraries and their versions. So
the program computes the key, every statement that writes a name writes its key beside it, and columns of keys are
`collate "C"`.
"""

import re
from unicodedata import category, normalize

_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm. The marks U+200E, U+200F and U+061C stay
allowed: Hebrew and Arabic need them, and they move nothing but their neighbours."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol by their category, which no font shows: fillers of Hangul, and the empty pattern of Braille."""

LONGEST_KEY = 600
"""Characters: enough for the longest name in Korean, where each syllable becomes three. Other characters become up to
eighteen, and an index entry has at most 2,700 bytes."""

# Letters that have a plain form for readers, but no decomposition in Unicode. In lower case: they are case-folded
# first.
_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
    }
)


def reordering_character(name: str) -> str | None:
    """The first character that shows the characters after it, also those of other names beside it, in another order."""
    found = _REORDERING.search(name)
    return found[0] if found else None


def is_visible(name: str) -> bool:
    """Whether a reader sees any character of it."""
    return any(category(letter)[0] in "LNPS" and letter not in _BLANK for letter in name)


def name_key(name: str) -> str:
    """`Łódź STRASSE` and `lodz straße` are both `lodz strasse`. The key of a key is the key itself.

    Compatibility forms are decomposed (NFKD), marks and invisible characters are removed, case is folded, and white
    space of any kind becomes one space. Make the key of a search text too, then compare keys. Order by key, name and
    id: different names may have the same key.
    """
    text = name.casefold() if name.isascii() else _folded(_folded(name))
    return " ".join(text.split())[:LONGEST_KEY].rstrip()


def _folded(text: str) -> str:
    # Twice, since the decomposition of a folded letter may have another case or a mark.
    plain = "".join([letter for letter in normalize("NFKD", text) if not _is_dropped(letter)])
    return plain.casefold().translate(_LETTERS)


def _is_dropped(letter: str) -> bool:
    kind = category(letter)
    return kind[0] == "M" or kind == "Cf"
