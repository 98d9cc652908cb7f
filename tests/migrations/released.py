"""The schema of the release 0.1.0, for tests that upgrade a database of it."""

import shutil
from pathlib import Path

from tonnage.migrations.revisions import PROGRAM, Revisions

FIRST = "0001_initial.py"


def first_release(folder: Path) -> Revisions:
    """Revision 0001 alone; its file is copied into the folder."""
    shutil.copy(PROGRAM.folders[0] / FIRST, folder / FIRST)
    return Revisions((folder,))
