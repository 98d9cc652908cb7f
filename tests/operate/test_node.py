"""The servers' user, wherever the programs are."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.operate.node import unprivileged

_LOOK = """
import os, sys
assert os.geteuid() != 0
open(sys.argv[1]).close()
assert os.access(sys.argv[1], os.R_OK | os.X_OK)
"""


def test_programs_below_a_closed_folder_are_found(tmp_path: Path) -> None:
    """As those of a checkout in /root. PostgreSQL's programs look for each other with access(2)."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = Path(shutil.copy("/bin/sh", closed))
    subprocess.run([*unprivileged(), sys.executable, "-c", _LOOK, program], check=True)
