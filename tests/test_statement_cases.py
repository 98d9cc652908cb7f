"""docs/statement-cases.md has every case, with its right amounts, and the tests that it names exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
SANDBOX = "sandbox/test_statement_cases.py"
_ROW = re.compile(r"^\| (\d+) \| (.*) \| (.*) \| (.*) \|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
_WORD = re.compile(r"-?\d[\d.]*(?<!\.)|[a-z]+")

RIGHT = (
    ("31 January", "3.23 100.00"),
    ("last three days of February", "0.96 0.93"),
    ("29 February", "10.00"),
    ("from 20 to 31 May", "38.71"),
    ("Berlin and Los Angeles", "ends both"),
    ("midnight between November and December", "only"),
    ("from 1 to 5 to 1 TB within a day", "2"),
    ("200 TB becomes 50 TB", "50 all month"),
    ("closed on the 10th", "nine"),
    ("1,000 GB of excess", "50.00 60.00"),
    ("first 12, then 9", "95.00"),
    ("a second version from the 10th", "30.00 140.00"),
    ("prices begin after the buyer", "nothing"),
    ("moves on the 16th", "50.00 100.00"),
    ("graduated", "600.00 600.01 1350.00 3000.00"),
    ("by volume", "600.00 500.01 1250.00 2500.00 2400.00"),
    ("do not begin at 0", "422"),
    ("minimum charge of 10.00", "2.84"),
    ("goodwill", "12.00 13.00 5.00"),
    ("nothing for 15 days", "8.00"),
    ("0.4 TB all month", "3.20 4.80 2.67"),
    ("five accounts of 0.3 TB", "12.00 40.00"),
    ("1,500 GB sent", "18.00"),
    ("-2.675", "-2.68"),
    ("0.5 cents", "0.01 0.03"),
    ("three lines of 0.02 at 19 %", "0.01"),
    ("four lines of 15.59 at 9 %", "5.61 62.36"),
    ("KWD 1.2345", "1935 1.235"),
    ("2^63 - 1 bytes", "92233720368547758070.00"),
    ("December frozen on 1 January", "19"),
    ("a buyer in another member state", "0.00 warning blocked"),
    ("usage of a frozen month arrives", "adjustment stays"),
    ("same file of readings twice", "nothing"),
    ("from a day in a frozen month", "409 one"),
    ("Tokyo and Juneau", "one"),
    ("killed in any of its stages", "same one"),
    ("ten processes, or ten requests", "one"),
    ("five drafts", "1 2"),
    ("100 freezes on 8 connections", "1 90"),
    ("a credit note for each line", "82.00 69.00 102.00 81.99 334.99"),
    ("any number of credit notes", "exactly negative"),
    ("put back from a backup", "twice"),
    ("20 November", "3.33"),
)
"""Of each case some of its words, and what is right."""


def rows() -> list[tuple[str, str, str, str]]:
    text = (TESTS.parent / "docs/statement-cases.md").read_text("utf-8")
    found = _ROW.findall(text)
    assert len(found) == len([line for line in text.splitlines() if re.match(r"\| \d", line)])
    return found


def test_every_case_is_there_with_what_is_right() -> None:
    found = rows()
    assert [int(number) for number, *_ in found] == list(range(1, len(RIGHT) + 1))
    wrong = [
        number
        for (number, case, right, _), (words, amounts) in zip(found, RIGHT, strict=True)
        if words not in case or not set(amounts.split()) <= set(_WORD.findall(right))
    ]
    assert wrong == []


def test_every_case_has_its_tests() -> None:
    named = {number: _TEST.findall(tests) for number, _, _, tests in rows()}
    assert [number for number, tests in named.items() if not tests] == []
    missing = [f"{file}::{name}" for tests in named.values() for file, name in tests if name not in _tests_in(file)]
    assert missing == []
    in_sandbox = {name for tests in named.values() for file, name in tests if file == SANDBOX}
    assert _tests_in(SANDBOX) - in_sandbox == {"test_all_of_them_are_computed_again"}


def _tests_in(file: str) -> set[str]:
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", (TESTS / file).read_text("utf-8"), re.MULTILINE))
