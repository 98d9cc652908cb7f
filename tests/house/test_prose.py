"""Docstrings and comments use the terms of the field."""

import re

from tests.coined import PROSE
from tests.house.tree import show
from tests.source import FILES, OTHER_FILES, TEST_FILES, TESTS, prose


def test_coined_words_are_not_in_docstrings_and_comments() -> None:
    lines = [(path, *line) for path in [*FILES, *TEST_FILES, *OTHER_FILES] for line in prose(path)]
    assert len(lines) > 1000
    show(
        [
            f"{path.relative_to(TESTS.parent).as_posix()}:{number}: {word} is denied in prose"
            for path, number, text in lines
            for word in _words(text) & PROSE
        ]
    )


def _words(text: str) -> set[str]:
    """Without code, which is in backticks."""
    return set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`", "", text.lower())))
