"""Every case in docs/statement-cases.md has the test that it names."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
_ROW = re.compile(r"^\| (\d+) \|.*\| `([\w/]+\.py)::(test_\w+)` \|$", re.MULTILINE)


def test_every_case_has_its_test() -> None:
    text = (TESTS.parent / "docs/statement-cases.md").read_text("utf-8")
    rows = _ROW.findall(text)
    numbered = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    assert [int(number) for number, *_ in rows] == list(range(1, len(numbered) + 1))
    missing = [
        f"{file}::{name}"
        for _, file, name in rows
        if not re.search(rf"^(?:async )?def {name}\(", (TESTS / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert missing == []
