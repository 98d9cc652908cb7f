"""`python -m tests.newest`: our requirements without their upper bounds, one per line, for `make newest`.

Without these and without the lock file the newest versions are installed that the libraries agree on.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def unbounded(requirement: str) -> str:
    return re.sub(r",\s*<=?[^,;]+", "", requirement)


def main() -> None:
    project = tomllib.loads(PROJECT.read_text())
    requirements = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    sys.stdout.writelines(f"{unbounded(requirement)}\n" for requirement in requirements)


if __name__ == "__main__":
    main()
