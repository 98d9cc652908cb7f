"""Processes that end with the test run, together with all that they have started."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.processes import descendants

PATIENCE = 90.0


class Guarded:
    """A process under guard.py. Its output goes to the file `log`."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str]) -> None:
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("guard.py"), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
                # A Ctrl-C in the terminal is for the test run, which then closes the pipe.
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        """The command's."""

    @property
    def guard(self) -> int:
        """The id of the parent of everything that the command leaves behind."""
        return self._guard.pid

    @property
    def alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        """SIGKILL for the command and for all that it has started: as when a machine is lost."""
        while running := [pid for pid in descendants(self.guard) if Path(f"/proc/{pid}/exe").exists()]:
            for pid in running:
                _send(pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Ends the command and all that it has started: PostgreSQL in order, everything else at once."""
        self._guard.communicate(timeout=PATIENCE)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
