"""The tables, as printed and as kept in docs/benchmarks.md."""

import platform
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.load import CLIENTS
from bench.rounds import SECONDS, Measure, Results
from bench.targets import Target, targets

_PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "psycopg", "msgspec", "sqlalchemy")
_INTRODUCTION = """# Benchmarks

What `make bench` printed last. Each value is the median of {rounds} rounds, with the smallest and the largest beside
it. A round runs every workload once, {seconds} seconds each, in one order and then in the other; ratios are taken
within a round. {clients} clients, one server process, warm, fsync on.

R0 is the CPU of a raw ASGI reply on the same uvicorn. CPU is that of the server process, user and system; the load
comes from another one. pgbench runs the statements of the product, captured from its driver, on the same socket. The
usual stack is `bench/usual_stack.py`.

W1: `GET /v1/contract/list`, 3 contracts. W2: `POST /v1/partner`, all on one contract. W3: the 1,000 partners of a
contract. W4: usage of 500 accounts in 31 days. W5: usage of 10,000 accounts in 31 days, 310,000 points, by a process
that has not served a report before. Sampling: one run of the job, on a gateway of Ceph on the same machine.

Pages of the console: in one process, from request to reply, with 100,000 partners of one distributor under two
contracts, 300,000 accounts, 100,000 members and a million audit entries.
"""


def render(results: Results, database: str) -> str:
    introduction = _INTRODUCTION.format(rounds=len(results.rounds), seconds=f"{SECONDS:g}", clients=CLIENTS)
    parts = [introduction, _surroundings(database), table(results), "## In figures\n", _figures(results)]
    return "\n".join(parts)


def table(results: Results) -> str:
    lines = ["| what | must | aim | measured | from .. to | meets |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(target) for target in targets(results)), ""])


def _line(target: Target) -> str:
    sign = "<=" if target.at_most else ">="
    unit = f" {target.unit}" if target.unit else ""
    bounds = f"{sign} {target.must:g}{unit} | {sign} {target.aim:g}{unit}"
    if not target.values:
        return f"| {target.what} | {bounds} | - | - | {target.verdict} |"
    spread = f"{min(target.values):.3g} .. {max(target.values):.3g}"
    return f"| {target.what} | {bounds} | {target.median:.3g}{unit} | {spread} | {target.verdict} |"


def _figures(results: Results) -> str:
    def of(name: str, value: Callable[[Measure], float]) -> float:
        return statistics.median(value(one.served[name]) for one in results.rounds)

    lines = ["| | CPU, us a request | req/s | p50, ms | p99, ms |", "|---|---|---|---|---|"]
    for name in sorted(results.rounds[0].served, key=_in_order):
        p50, p99 = of(name, lambda one: one.p50), of(name, lambda one: one.p99)
        cpu, rate = of(name, lambda one: one.cpu), of(name, lambda one: one.rate)
        lines.append(f"| {_NAMES.get(name, name)} | {cpu:,.0f} | {rate:,.1f} | {p50:.3g} | {p99:.3g} |")
    for name in results.rounds[0].pgbench:
        rate = statistics.median(one.pgbench[name] for one in results.rounds)
        lines.append(f"| pgbench {name} | | {rate:,.0f} | | |")
    encoding = statistics.median(one.encoding for one in results.rounds)
    lines.append(f"| msgspec, payload of W4 | {encoding:,.0f} | | | |")
    report = statistics.median(one.report for one in results.rounds)
    lines.append(f"| W5, whole | | | {report * 1000:,.0f} | |")
    return "\n".join([*lines, "", *_console(results)])


def _console(results: Results) -> list[str]:
    lines = ["| page of the console | ms | from .. to |", "|---|---|---|"]
    for what, taken in results.console.items():
        lines.append(f"| {what} | {statistics.median(taken):,.0f} | {min(taken):,.0f} .. {max(taken):,.0f} |")
    return [*lines, ""]


_NAMES = {
    "bare": "R0",
    "many W1": "W1 with 100,000 partners",
    "many W2": "W2 with 100,000 partners",
    **{f"usual W{n}": f"usual stack W{n}" for n in range(1, 5)},
}


def _in_order(name: str) -> tuple[int, str]:
    return (["bare", "W", "many", "usual"].index(name.split(maxsplit=1)[0].rstrip("1234")), name)


def _surroundings(database: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1e6
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, `make bench` on {_processor()}, {memory:.0f} GB, Linux {platform.release()}; "
        f"Python {platform.python_version()}, PostgreSQL {database}, {packages}.\n"
    )


def _processor() -> str:
    facts = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
    models = [value.strip() for name, _, value in facts if name.strip() == "model name"]
    return f"{len(models)} x {models[0]}" if models else platform.machine()
