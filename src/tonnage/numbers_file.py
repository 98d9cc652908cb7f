"""The file in the data directory with the last number of every series of documents, which outlives a database.

Lines are only added: a file that is written anew for each document would be as long as there are sellers.
"""

import os
import re
from pathlib import Path
from uuid import UUID

from tonnage.private_files import open_private

_LINE = re.compile(r"(\S+) ([0-9]{1,18})", re.ASCII)


class NumbersFile:
    """The file of one installation, so that several databases may share a data directory. Methods raise OSError."""

    def __init__(self, folder: Path, installation: UUID) -> None:
        self._folder = folder
        self._path = folder / f"numbers-{installation}.txt"

    def read(self) -> dict[str, int] | None:
        """The highest number of each series; None: there is no file. A line that was not written whole is no line."""
        try:
            text = self._path.read_text("ascii", errors="replace")
        except FileNotFoundError:
            return None
        found: dict[str, int] = {}
        for line in text.splitlines():
            if match := _LINE.fullmatch(line):
                found[match[1]] = max(found.get(match[1], 0), int(match[2]))
        return found

    def add(self, series: str, number: int) -> None:
        """Adds the last number of a series, durably. `series` has no blanks."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not self._path.exists()
        # The line break before it ends a line that a process could not finish.
        file = open_private(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            # One write, which other processes cannot come between.
            os.write(file, f"\n{series} {number}\n".encode("ascii"))
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
