"""`python -m bench [--rounds N]`: measures, prints the table and writes docs/benchmarks.md.

Exit status 1: a required bound is not met.
"""

import argparse
import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import psycopg

from bench import console, dataset, freezing, pgbench, rendering, report, sampling, small_sellers
from bench.rounds import ROUNDS, measure
from bench.targets import TARGETS
from tonnage import embedded

_ROOT = Path(__file__).parent.parent


def _stop(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"with fewer than {ROUNDS} nothing is written")
    rounds: int = parser.parse_args().rounds
    begin = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begin:4.0f} s] {line}", flush=True)

    if pgbench.find() is None:
        say("There is no pgbench, so two comparisons are left out; on Debian: apt-get install postgresql-contrib")
    # Not in /tmp, which may be memory: fsync must have its real cost.
    directory = _ROOT / "data" / "bench"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = stack.enter_context(embedded.serve(directory)).owner
        say("loading the data")
        data = dataset.build(url)
        with psycopg.connect(url) as conn:
            database = conn.execute("show server_version").fetchone()
        results = measure(url, data, rounds, say)
        results.console = console.measure(url, say)
        results.freezing = freezing.measure(url, say)
        say("freezing the months of small sellers")
        results.small_sellers = [small_sellers.measure(url)]
        results.sampling = sampling.measure(url, directory, say)
    say("rendering statements")
    results.rendering = rendering.measure()
    print(f"\n{report.table(results)}")
    if rounds >= ROUNDS:
        report.PAGE.write_text(report.render(results, database[0] if database else "?"))
        say(f"written to {report.PAGE.relative_to(_ROOT)}")
    return int(any(target.verdict(target.of(results)) == "MISSED" for target in TARGETS))


if __name__ == "__main__":
    # Raises SystemExit, so that the database and the servers are stopped as after Ctrl-C.
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
