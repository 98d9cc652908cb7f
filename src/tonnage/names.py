"""The key of a name, by which lists search and sort, the same on every server.

PostgreSQL folds and orders text by a collation, and collations differ between builds, libraries and their versions. So
the program computes the key, every statement that writes a name writes its key beside it, and columns of keys are
`collate "C"`.
"""

from unicodedata import category, normalize

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
