"""The tables, as printed and as written to docs/benchmarks.md.

Every row is declared here, in `targets` or in `console`, measured or not: so the page's rows are
known without a measurement, and `tests.documents` compares the page with them.
"""

import math
import platform
import re
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import console, freezing
from bench.load import CLIENTS
from bench.rounds import ROUNDS, SECONDS, Measure, Results
from bench.targets import TARGETS, Target

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

_PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "psycopg", "msgspec", "sqlalchemy")
_INTRODUCTION = f"""# Benchmarks

What `make bench` printed last. Each value is the median of {ROUNDS} rounds, with the smallest and the largest beside
it. A round runs every workload once, {SECONDS:g} seconds each, in one order and then in the other; ratios are taken
within a round. {CLIENTS} clients, one server process, warm, fsync on.

R0 is the CPU of a raw ASGI reply on the same uvicorn. CPU is that of the server process, user and system; that of the
database is of all its processes. The load comes from another one. pgbench runs the statements of the product, captured
from its driver, on the same socket. The usual stack is `bench/usual_stack.py`.

W1: `GET /v1/contract/list`, 3 contracts. W2: `POST /v1/partner`, all on one contract. W3: the 1,000 partners of a
contract. W4: usage of 500 accounts in 31 days. W5: usage of 10,000 accounts in 31 days, 310,000 points, by a process
that has not served a report before. Sampling: one run of the job, on a gateway of Ceph on the same machine.
Statements: 1,000 of one page with eight lines, each with texts of its own.

Pages of the console: in one process, from request to reply, with 100,000 partners of one distributor under two
contracts, 300,000 accounts, 100,000 members and a million audit entries. Freezing: the month of that distributor,
once; and by the nightly job, the months of 1,000 partners with three accounts each.
"""

_SERVED = {
    "bare": "R0",
    **{f"W{n}": f"W{n}" for n in range(1, 5)},
    **{f"many W{n}": f"W{n} with 100,000 partners" for n in (1, 2)},
    **{f"usual W{n}": f"usual stack W{n}" for n in range(1, 5)},
}
_PGBENCH = ("W1", "W2")

_Row = tuple[str, ...]


def render(results: Results, database: str) -> str:
    """The page as Markdown."""
    tables = [table(results), "## In figures\n", _table(_FIGURES, _figures(results)), _table(_PAGES, _pages(results))]
    return "\n".join([_INTRODUCTION, _environment(database), *tables])


def table(results: Results) -> str:
    """The table of bounds and measured values."""
    return _table(_TARGETS, [_line(target, target.of(results)) for target in TARGETS])


_TARGETS = ("what", "must", "aim", "measured", "from .. to", "meets")
_FIGURES = ("", "CPU, us a request", "of the database", "req/s", "p50, ms", "p99, ms")
_PAGES = ("page of the console", "ms", "from .. to")


def _table(head: _Row, rows: list[_Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _line(target: Target, values: list[float]) -> _Row:
    if not values:
        return (target.what, *target.bounds, "-", "-", target.verdict(values))
    unit = f" {target.unit}" if target.unit else ""
    measured, spread = f"{statistics.median(values):.3g}{unit}", f"{min(values):.3g} .. {max(values):.3g}"
    return (target.what, *target.bounds, measured, spread, target.verdict(values))


def _figures(results: Results) -> list[_Row]:
    rows = [_served(results, name, label) for name, label in _SERVED.items()]
    for name in _PGBENCH:
        rate = _median([one.pgbench[name] for one in results.rounds if name in one.pgbench])
        rows.append((f"pgbench {name}", "", "", f"{rate:,.0f}", "", ""))
    encoding = _median([one.encoding for one in results.rounds])
    report = _median([one.report for one in results.rounds])
    return [
        *rows,
        ("msgspec, payload of W4", f"{encoding:,.0f}", "", "", "", ""),
        ("W5, whole", "", "", "", f"{report * 1000:,.0f}", ""),
    ]


def _served(results: Results, name: str, label: str) -> _Row:
    def of(value: Callable[[Measure], float]) -> float:
        return _median([value(one.served[name]) for one in results.rounds])

    cpu, database, rate = of(lambda one: one.cpu), of(lambda one: one.database), of(lambda one: one.rate)
    p50, p99 = of(lambda one: one.p50), of(lambda one: one.p99)
    return (label, f"{cpu:,.0f}", f"{database:,.0f}", f"{rate:,.1f}", f"{p50:.3g}", f"{p99:.3g}")


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else 0.0


def _pages(results: Results) -> list[_Row]:
    rows: list[_Row] = []
    measured = results.console | results.freezing.pages
    for label in (*console.LABELS, *freezing.LABELS):
        taken = measured.get(label, [0.0])
        if math.isinf(max(taken)):
            rows.append((label, "503", "longer than a request may take"))
        else:
            rows.append((label, f"{statistics.median(taken):,.0f}", f"{min(taken):,.0f} .. {max(taken):,.0f}"))
    return rows


def shape(page: str) -> str:
    """A page without its measured values: text, table headings, and the fixed cells of each row."""
    lines: list[str] = []
    fixed = 1
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] in {_TARGETS[0], _PAGES[0], _FIGURES[0]} and not line.startswith("| ---"):
            fixed = 3 if cells[0] == _TARGETS[0] else 1
            lines.append(line)
        elif cells:
            lines.append(" | ".join(cells[:fixed]))
        elif not re.match(r"\d{4}-\d\d-\d\d, ", line):
            lines.append(line)
    return "\n".join(lines)


def expected_shape() -> str:
    """The shape of the page that `render` would write."""
    return shape(render(Results({}, []), "?"))


def _environment(database: str) -> str:
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
