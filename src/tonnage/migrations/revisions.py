"""The location of a program's revisions."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Revisions:
    """Folders with a file per revision, `NNNN_what.py`. Together they form a sequence: each follows the one before."""

    folders: tuple[Path, ...]

    def names(self) -> list[str]:
        """All of them, oldest first. Read from the names of the files, which does not load Alembic."""
        return sorted(path.name.split("_")[0] for folder in self.folders for path in folder.glob("[0-9]*.py"))

    def newest(self) -> str | None:
        """The newest one, or None."""
        return max(self.names(), default=None)


PROGRAM = Revisions((Path(__file__).parent / "versions",))
"""The revisions of this program."""
