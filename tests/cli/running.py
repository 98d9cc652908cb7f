"""The `tonnage` command, in this process and as processes of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from click.testing import CliRunner, Result

from tonnage.cli import main

PATIENCE = 240.0


def environment(**settings: str) -> dict[str, str]:
    """The test run's own environment, without the user's settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TONNAGE_")}
    return own | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"} | settings


def tonnage(*arguments: str | Path, stdin: str | None = None, **settings: str) -> Result:
    """Runs one command in this process: loading the program takes longer than most commands."""
    unset = {name: None for name in os.environ if name.startswith("TONNAGE_")}
    return CliRunner(env=unset | settings).invoke(main, list(map(str, arguments)), input=stdin)


@dataclass
class Running:
    """A process that runs until it is stopped."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list[str])

    def wait_for(self, pattern: str) -> "re.Match[str]":
        """Reads its output up to a line with `pattern`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"ended with {self.process.wait()} before saying {pattern!r}: {''.join(self.lines)}")

    @cached_property
    def origin(self) -> str:
        return self.wait_for(r"serves (http://\S+)/v1").group(1)

    def end(self, number: int) -> int:
        """Sends a signal; returns the exit status of a process that ends by itself, or by SIGKILL."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        if status == -signal.SIGKILL and number != signal.SIGKILL:
            assert self.process.stdout is not None
            pipe = self.process.stdout.fileno()
            os.set_blocking(pipe, False)  # what it started may still have the other end
            with suppress(BlockingIOError):
                self.lines.append(os.read(pipe, 100_000).decode())
            raise AssertionError(f"it did not end in time, and said: {''.join(self.lines)}")
        return status


@contextmanager
def started(*arguments: str | Path, **settings: str) -> Generator[Running]:
    # Who runs the tests in the background of a shell has both ignored, and `serve` would respect that.
    as_usual = ("env", "--default-signal=INT,HUP")
    command = [*as_usual, sys.executable, "-m", "tonnage", *map(str, arguments)]
    with subprocess.Popen(
        command, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        # A process that hangs must not hang the tests: killing it ends its output.
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield Running(process)
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def status(url: str, key: str | None = None) -> int:
    """The status code of a GET."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
