"""No collation of a database server is used: names are folded, searched and sorted by their keys (names.py)."""

import re

from tests.house.sql import texts
from tests.house.tree import show

TEXTS = "name|details|description|email|contact_email|email_key|contact_email_key|subject|currency|access_key"
"""Columns of text that a query sorts by; keys of names are declared `collate "C"`."""

_FOLDING = re.compile(r"\b(?:lower|upper|initcap)\((?![^()]*collate \"C\")|\bilike\b|\bsimilar to\b|~\*|\bcitext\b")
_ORDERING = re.compile(rf"\border by\b[^()]*?\b(?:{TEXTS})\b(?! collate \"C\")")
_SORTING = re.compile(rf"\w+\.(?:{TEXTS})")  # an element of a lists.Sort


def test_no_collation_of_the_server_decides() -> None:
    assert len(texts()) > 1000
    found = [f"{text.at}: folds text by the server's locale" for text in texts() if _FOLDING.search(text.text)]
    found += [f"{text.at}: orders by text without a collation" for text in texts() if _ORDERING.search(text.text)]
    found += [
        f"{text.at}: sorts a list by text without a collation" for text in texts() if _SORTING.fullmatch(text.text)
    ]
    show(found)
