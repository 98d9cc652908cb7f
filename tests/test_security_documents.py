"""The tests that docs/security.md names for each attack exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLES = (TESTS.parent / "docs/security.md").read_text()


def test_each_attack_has_a_number_and_a_test_that_exists() -> None:
    rows = [line.strip("|").split("|") for line in TABLES.splitlines() if re.match(r"\| \d", line)]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 35
    for row in rows:
        named = re.fullmatch(r" `([\w/]+\.py)(?:::(\w+))?` ", row[-1])
        assert named, row[-1]
        text = (TESTS / named[1]).read_text()
        assert re.search(rf"^(?:async )?def {named[2] or 'test_'}", text, re.MULTILINE), row[-1]
