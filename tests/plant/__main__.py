"""Shows that the walls are checked: `python -m tests.plant` plants a violation of each kind in a copy of the tree.

Each checker runs over all of them once, and must name every one. The exit status is 0 only then.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.plant import database, names, packages
from tests.plant.kind import DOCUMENTS, HOUSE, IMPORTS, MESSAGES, PYRIGHT, RUFF, Plant

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
BIN = Path(PYTHON).parent

COPIED = ("bench", "docs", "src", "testbed", "tests", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
          "README.md", "hatch_build.py", "package.json", "pyproject.toml")  # fmt: skip

TESTS = (
    "tests/house",
    "tests/test_house.py",
    "tests/test_jobs.py::test_every_deferred_name_is_declared",
    "tests/test_jobs.py::test_a_new_job_names_the_revision_of_its_release",
    "tests/test_jobs.py::test_a_released_job_stays_declared",
    "tests/console/test_audited_posts.py::test_every_post_is_here",
    "tests/console/test_audited_posts.py::test_it_leaves_an_entry[/operator/jobs/retry]",
)

PLANTS = [*packages.PLANTS, *database.PLANTS, *names.PLANTS]


def commands() -> dict[str, list[str]]:
    """The command of each checker."""
    literal = [plant.file for plant in PLANTS if plant.checker == PYRIGHT]
    return {
        IMPORTS: [str(BIN / "lint-imports"), "--no-cache"],
        HOUSE: [PYTHON, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-vv", "--tb=short", *TESTS],
        RUFF: [str(BIN / "ruff"), "check", "--no-cache", "--output-format=concise", "src"],
        PYRIGHT: [str(BIN / "pyright"), *literal],
        DOCUMENTS: [PYTHON, "-m", "tests.documents"],
        MESSAGES: [PYTHON, "-m", "tests.messages"],
    }


def run(command: list[str], copy: Path) -> str:
    """The checker's output. The copy's modules take precedence over the installed ones."""
    environment = {**os.environ, "PYTHONPATH": f"{copy / 'src'}:{copy}", "COLUMNS": "400", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def plant(copy: Path, plants: list[Plant]) -> None:
    for one in plants:
        file = copy / one.file
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text("utf-8") if file.exists() else ""
        assert one.instead_of in before, f"{one.kind}: {one.file} no longer has what is to be replaced"
        after = before.replace(one.instead_of, one.text) if one.instead_of else before + one.text
        file.write_text(after, "utf-8")


def unnamed(plants: list[Plant], output: str) -> list[Plant]:
    return [one for one in plants if not re.search(one.expected, output, re.MULTILINE)]


def prepare(copy: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=ignored)
        else:
            shutil.copy2(source, copy / name)
    (copy / ".venv").symlink_to(BIN.parent)
    # The documents are those that git knows.
    for command in (["git", "init", "-q"], ["git", "add", "-A", "docs", "README.md"]):
        subprocess.run(command, cwd=copy, check=True)


def main() -> int:
    """Returns the exit status."""
    began = time.monotonic()
    missing: list[tuple[Plant, str]] = []
    with tempfile.TemporaryDirectory(prefix="tonnage-plant-") as folder:
        copy = Path(folder)
        prepare(copy)
        plant(copy, PLANTS)
        for checker, command in commands().items():
            mine = [one for one in PLANTS if one.checker == checker]
            output = run(command, copy)
            missed = unnamed(mine, output)
            missing += [(one, output) for one in missed]
            sys.stdout.write(f"{checker:<13} {len(mine) - len(missed)} of {len(mine)} kinds are named\n")
            sys.stdout.flush()
        plant(copy, [packages.HOLE])
        output = run(commands()[IMPORTS], copy)
        missing += [(one, output) for one in unnamed([packages.HOLE], output)]
    for one, _ in missing:
        sys.stdout.write(f"NOT NAMED: {one.kind} in {one.file}; expected from {one.checker}: {one.expected}\n")
    for output in dict.fromkeys(output for _, output in missing):
        sys.stdout.write(f"\n{output[-4000:]}\n")
    sys.stdout.write(f"{len(PLANTS) + 1} kinds of violations, {time.monotonic() - began:.0f} s\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
