"""Nothing of a test run survives it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.operate.guarded import Guarded
from tests.processes import descendants

_RUN = """
import sys, time
from pathlib import Path
from tests.operate.guarded import Guarded
command = ["sh", "-c", "setsid sleep 600 & kill -STOP $!; sleep 600"]
Guarded(command, Path(sys.argv[1]), {"PATH": "/usr/bin:/bin"})
print("started", flush=True)
time.sleep(600)
"""
"""A test run with a command that has a frozen child in a session of its own."""


def test_a_killed_run_takes_along_what_it_started(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _RUN, tmp_path / "log"], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"started\n"
        started = _at_least(4, run.pid)
        run.send_signal(signal.SIGKILL)
    _await_end(started)


def test_children_that_lost_their_parent_are_killed_too(tmp_path: Path) -> None:
    command = ["sh", "-c", "setsid sleep 600 & setsid sleep 600 & wait"]
    guarded = Guarded(command, tmp_path / "log", {"PATH": "/usr/bin:/bin"})
    started = _at_least(3, guarded.guard)
    guarded.kill()
    _await_end(started)
    assert not guarded.alive


def _at_least(number: int, pid: int) -> list[int]:
    deadline = time.monotonic() + 60
    while len(found := descendants(pid)) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def _await_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
