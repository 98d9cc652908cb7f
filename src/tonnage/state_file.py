"""The file in the data directory that outlives a database: what was done, as the newest database knew it."""

import fcntl
import json
import logging
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tonnage.private_files import open_private

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """The content. `revoked`: kinds and ids of what was revoked, such as API keys."""

    epoch: int = 0
    revoked: frozenset[tuple[str, str]] = frozenset()

    def joined(self, other: "State") -> "State":
        """Both together: the content only grows."""
        return State(max(self.epoch, other.epoch), self.revoked | other.revoked)


class StateFile:
    """The file of one installation, so that several databases may share a data directory.

    Every method raises OSError, and ValueError for a file with another content.
    """

    def __init__(self, folder: Path, installation: UUID) -> None:
        self._folder = folder
        self._path = folder / f"installation-{installation}.json"

    def read(self) -> State:
        """The content; an empty one if there is no file."""
        try:
            content: Any = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return State()
        try:
            return State(int(content["epoch"]), frozenset((str(kind), str(one)) for kind, one in content["revoked"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{self._path} has an unexpected content") from error

    def add(self, epoch: int, revoked: Iterable[tuple[str, str]] = ()) -> None:
        """Adds to the content, durably. Nothing is ever taken away, whichever process writes last.

        A file with another content is kept beside the new one, which begins with what is added.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked() as folder:
            before = self._before()
            after = before.joined(State(epoch, frozenset(revoked)))
            if after != before:
                self._write(after)
                os.fsync(folder)

    def _before(self) -> State:
        try:
            return self.read()
        except ValueError as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            _log.error("%s is not readable (%s): it was renamed to %s, and a new one begins", self._path, error, aside)
            return State()

    @contextmanager
    def _locked(self) -> Generator[int]:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(folder)  # which releases the lock

    def _write(self, state: State) -> None:
        draft = self._path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with open(open_private(draft, os.O_WRONLY | os.O_EXCL), "w", encoding="ascii") as file:
            json.dump({"epoch": state.epoch, "revoked": sorted(state.revoked)}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._path)
