"""Cases that share a sandbox: each waits for its days, and the clock is advanced once for all that wait.

A case is a generator: it yields the day for which it waits, and goes on when the clock stands there. Its test passes
when it ends by itself.
"""

import json
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import httpx

from tests.cli.command import Command
from tests.cli.running import started
from tests.sandbox.steps import Sandbox

Case: TypeAlias = Callable[[Sandbox], Generator[str]]

BEGINNINGS = ("2025-02-26", "2026-10-31", "2027-01-31", "2028-02-27")
"""The days on which sandboxes begin. A case is in the last one that has begun by then: days cost the more the more is
stored."""

_cases: dict[str, tuple[str, Case]] = {}


@dataclass
class Results:
    """Of the cases that were played. The cases of a sandbox are played when one of them is asked for."""

    new_database: Callable[[], AbstractContextManager[str]]
    folder: Path
    names: Iterable[str]
    """The tests that are run at all."""
    done: dict[str, Exception | None] = field(default_factory=dict[str, Exception | None])

    def require(self, name: str) -> None:
        """Raises what has stopped the case."""
        if name not in self.done:
            beginning = _beginning(_cases[name][0])
            together = {
                one: case for one, case in _cases.items() if one in self.names and _beginning(case[0]) == beginning
            }
            with self.new_database() as conninfo, serving(conninfo, self.folder / beginning, beginning) as sandbox:
                self.done |= played(sandbox, together)
        stopped = self.done[name]
        if stopped is not None:
            raise stopped


def begins(day: str) -> Callable[[Case], Callable[[Results], None]]:
    """Makes a test of a case that begins on that day."""

    def declare(case: Case) -> Callable[[Results], None]:
        name = case.__name__
        assert name not in _cases
        _cases[name] = day, case

        def test(results: Results) -> None:
            results.require(name)

        test.__doc__ = case.__doc__
        return test

    return declare


def _beginning(day: str) -> str:
    return max(one for one in BEGINNINGS if one <= day)


@contextmanager
def serving(conninfo: str, folder: Path, day: str) -> Generator[Sandbox]:
    """A new sandbox, in a process of its own."""
    words = ("--database-url", conninfo, "--data-dir", folder, "--sandbox", "--at", day, "--port", "0")
    with started("serve", *words) as server:
        origin = server.origin
        # A pipe that nobody reads would stop it.
        reading = threading.Thread(target=server.lines.extend, args=[server.process.stdout], daemon=True)
        reading.start()
        key = json.loads((folder / "sandbox.json").read_bytes())["keys"]["operator_admin"]
        with httpx.Client(base_url=origin, timeout=120) as http:
            sandbox = Sandbox(http, Command(conninfo), key, day)
            sandbox.set_up()
            yield sandbox
        server.process.terminate()
        reading.join()


def played(sandbox: Sandbox, cases: dict[str, tuple[str, Case]]) -> dict[str, Exception | None]:
    """Why each of them has stopped; None: it has ended."""
    done: dict[str, Exception | None] = {}
    waiting = [(day, number, name, case(sandbox)) for number, (name, (day, case)) in enumerate(cases.items())]
    while waiting:
        day, number, name, case = min(waiting)
        waiting.remove((day, number, name, case))
        try:
            if day != sandbox.day:
                sandbox.advance(day)
            waiting.append((next(case), number, name, case))
        except StopIteration:
            done[name] = None
        except Exception as error:
            done[name] = error
    return done
