"""Pages are found by the key of a row: a number of rows to skip shifts when a row before the page comes or goes."""

import re

from tests.house.sql import texts
from tests.house.tree import show

# OFFSET 0 may stay: it only keeps the planner from merging subqueries.
_SKIPPING = re.compile(r"\boffset\s*[%($:{]")


def test_no_list_skips_a_number_of_rows() -> None:
    assert len(texts()) > 1000
    show([f"{text.at}: skips rows by their number; see keyset.py" for text in texts() if _SKIPPING.search(text.text)])
