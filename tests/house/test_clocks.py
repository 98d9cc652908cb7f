"""No SQL of ours reads the database's clock: `now` is a parameter, from one of the two clocks."""

import re

from tests.house.sql import texts
from tests.house.tree import show
from tests.source import SOURCE

_CLOCK = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(\s*\)"
    r"|\bcurrent_(?:date|time|timestamp)\b|\blocaltime(?:stamp)?\b"
    r"|'(?:now|today|tomorrow|yesterday)'\s*(?:::|\))"
    r"|\b(?:timestamptz|timestamp|date)\s+'(?:now|today|tomorrow|yesterday)'",
    re.IGNORECASE,
)
_DEFAULT = re.compile(r"\bdefault\s+(?:now|clock_timestamp)\s*\(\)", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")

QUEUE = {
    "jobs/queries.py": "the queue compares its own times with the database's, and so must who moves them",
}

FIRST_PARTITIONS = (
    "select ensure_usage_partitions(now()::date, (now() + interval '3 months')::date);",
    "select greatest(max(%I)::date, now()::date) + 1 from %I",
)
"""While a database is created there is no other clock yet."""

GUARDS = ("before > now()",)
"""What runs as the owner of the tables does not trust the clock of its caller."""


def test_no_statement_has_a_clock() -> None:
    found = [
        f"{text.at}: {clock[0]} asks the database's clock"
        for text in texts()
        if text.module.where not in QUEUE
        for clock in _CLOCK.finditer(_COMMENT.sub("", text.text))
    ]
    show([one for one in found if not one.startswith("wording/choices.py")])
    assert {text.module.where for text in texts() if _CLOCK.search(text.text)} >= QUEUE.keys()


def test_revisions_have_clocks_as_defaults_only() -> None:
    found: list[str] = []
    for path in sorted(SOURCE.rglob("*.sql")):
        text = _DEFAULT.sub("", _COMMENT.sub("", path.read_text("utf-8")))
        for statement in FIRST_PARTITIONS + GUARDS:
            text = text.replace(statement, "")
        found += [f"{path.relative_to(SOURCE)}: {clock[0]} is no default" for clock in _CLOCK.finditer(text)]
    show(found)
