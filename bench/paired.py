"""`python -m bench.paired OTHER_CHECKOUT [--rounds N]`: compares this checkout with another one.

Each has its own environment, database and server, filled by its own `bench` with the same data. Every round measures
both in alternating order, so that other load on the machine affects both alike. Ratios are
taken within a round. Exit status 1: this checkout is worse by more than 5 % in a median.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.load import CLIENTS
from bench.rounds import ClientUsage, Measure, Results, Round, encoding, measured
from bench.servers import DatabaseServer, Server, serving
from bench.targets import W1_CPU, W1_TAIL, W2_CPU, W3_CPU, W4_CPU
from bench.workloads import BARE

_HERE = Path(__file__).parent
WORKLOADS = ("W1", "W2", "W3", "W4", "W5")
_MUSTS = (W1_CPU, W2_CPU, W3_CPU, W4_CPU, W1_TAIL)
_ALLOWED = 1.05


@dataclass(frozen=True)
class Figure:
    """`cost` gives the value that must not grow."""

    name: str
    show: Callable[[Measure], float]
    cost: Callable[[Measure], float]


_FIGURES = (
    Figure("CPU, us a request", lambda one: one.cpu, lambda one: one.cpu),
    Figure("of the database", lambda one: one.database, lambda one: one.database),
    Figure("req/s", lambda one: one.rate, lambda one: 1 / one.rate),
    Figure("p50, ms", lambda one: one.p50, lambda one: one.p50),
)


class Tree:
    """A checkout with its running server. `results` has an entry for each measured round."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self.results = Results({}, [])
        self._process = process
        facts = self._read(name)
        self._server = Server(facts["pid"], facts["port"])
        self._database = DatabaseServer.at(facts["url"])
        self._wires: dict[str, str] = facts["wires"]
        self.payload = msgspec.json.decode(facts["report"], type=list[ClientUsage])

    def measure(self, workload: str) -> None:
        """One run, in the current round."""
        wire = self._new_contract() if workload == "W2" else self._wires[workload]
        clients = 1 if workload == "W5" else CLIENTS
        self.results.rounds[-1].served[workload] = measured(self._server, self._database, wire, clients)

    def _new_contract(self) -> str:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read("W2")

    def _read(self, what: str) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: the checkout has ended before it answered: {what}")
        return json.loads(line)


@contextmanager
def _running(name: str, checkout: Path, directory: Path) -> Generator[Tree]:
    python = checkout / ".venv" / "bin" / "python"
    script = (_HERE / "paired_tree.py").read_text()
    process = subprocess.Popen(
        [python, "-c", script, directory], cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Tree(name, process)
    finally:
        process.communicate()


def measure(this: Tree, other: Tree, rounds: int) -> None:
    """Measures both in alternating order, with the raw reply and the encoding as references for their bounds."""
    with serving("raw", "") as bare:
        for number in range(rounds):
            first, second = (this, other) if number % 2 == 0 else (other, this)
            raw = measured(bare, None, BARE.wire())
            for tree in (first, second):
                tree.results.rounds.append(Round({"bare": raw}, encoding=encoding(tree.payload)))
            for workload in WORKLOADS:
                first.measure(workload)
                second.measure(workload)
            print(f"round {number + 1} of {rounds}", flush=True)


def compare(this: Results, other: Results) -> tuple[list[str], bool]:
    """The rows of the table, and whether a value is worse by more than the tolerance."""
    lines = ["| | other | this | cost of this / other | from .. to | |", "|---|---|---|---|---|---|"]
    any_worse = False
    for workload in WORKLOADS:
        pairs = [(a.served[workload], b.served[workload]) for a, b in zip(this.rounds, other.rounds, strict=True)]
        for figure in _FIGURES:
            ratios = [figure.cost(a) / max(figure.cost(b), 1e-9) for a, b in pairs]
            worse = statistics.median(ratios) > _ALLOWED
            shown = [f"{statistics.median([figure.show(pair[n]) for pair in pairs]):,.4g}" for n in (1, 0)]
            spread = f"{statistics.median(ratios):.3f} | {min(ratios):.3f} .. {max(ratios):.3f}"
            lines.append(f"| {workload} {figure.name} | {' | '.join(shown)} | {spread} | {'WORSE' if worse else ''} |")
            any_worse |= worse
    return lines, any_worse


def _musts(trees: tuple[Tree, Tree]) -> list[str]:
    lines = ["| what | must | other | | this | |", "|---|---|---|---|---|---|"]
    for target in _MUSTS:
        values = [target.of(tree.results) for tree in trees]
        cells = " | ".join(f"{statistics.median(some):.3g} | {target.verdict(some)}" for some in values)
        lines.append(f"| {target.what} | {target.bounds[0]} | {cells} |")
    return lines


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.paired")
    parser.add_argument("other", type=Path, help="a checkout in which `make setup` was run")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    # Not in /tmp, which may be memory: fsync must have its real cost.
    directory = _HERE.parent / "data" / "paired"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        other = stack.enter_context(_running("other", arguments.other.resolve(), directory / "other"))
        this = stack.enter_context(_running("this", _HERE.parent, directory / "this"))
        measure(this, other, arguments.rounds)
    rows, worse = compare(this.results, other.results)
    print("\n".join(["", *rows, "", *_musts((other, this))]))
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
