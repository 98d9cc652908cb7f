"""docs/recompute.py, as an outsider runs it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.source import TESTS


def recompute(files: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    """Without anything but the standard library."""
    command = [sys.executable, "-I", str(TESTS.parent / "docs/recompute.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def recompute_files(contents: Iterable[bytes]) -> subprocess.CompletedProcess[str]:
    """The same with files that are written first."""
    with tempfile.TemporaryDirectory() as folder:
        files: list[Path] = []
        for number, content in enumerate(contents):
            files.append(Path(folder, f"{number}.csv"))
            files[-1].write_bytes(content)
        return recompute(files)
