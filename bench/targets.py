"""The required bounds, and how each value is computed from the rounds."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.console import slowest_list
from bench.freezing import STATEMENT, WORKING
from bench.rounds import Results, Round


@dataclass(frozen=True)
class Target:
    """`at_most`: `must` is an upper bound, else a lower one. `of` computes the values."""

    what: str
    must: float
    aim: float
    of: Callable[[Results], list[float]]
    unit: str = ""
    at_most: bool = True

    @property
    def bounds(self) -> tuple[str, str]:
        """`must` and `aim` as printed."""
        sign, unit = "<=" if self.at_most else ">=", f" {self.unit}" if self.unit else ""
        return f"{sign} {self.must:g}{unit}", f"{sign} {self.aim:g}{unit}"

    def verdict(self, values: list[float]) -> str:
        if not values:
            return "not measured"
        return "aim" if self._meets(values, self.aim) else "must" if self._meets(values, self.must) else "MISSED"

    def _meets(self, values: list[float], bound: float) -> bool:
        median = statistics.median(values)
        return median <= bound if self.at_most else median >= bound


def _each(value: Callable[[Round], float]) -> Callable[[Results], list[float]]:
    return lambda results: [value(one) for one in results.rounds]


def _cpu(name: str) -> Callable[[Results], list[float]]:
    return _each(lambda one: one.served[name].cpu / one.served["bare"].cpu)


def _rate(name: str, other: str) -> Callable[[Results], list[float]]:
    return _each(lambda one: one.served[name].rate / one.served[other].rate)


def _against_pgbench(name: str) -> Callable[[Results], list[float]]:
    def ratios(results: Results) -> list[float]:
        return [one.served[name].rate / one.pgbench[name] for one in results.rounds if name in one.pgbench]

    return ratios


def _statements(name: str) -> Callable[[Results], list[float]]:
    return lambda results: [results.statements[name].count] if name in results.statements else []


W1_CPU = Target("W1 CPU / R0", 12, 8, _cpu("W1"))
W2_CPU = Target("W2 CPU / R0", 20, 12, _cpu("W2"))
W3_CPU = Target("W3 CPU / R0", 25, 15, _cpu("W3"))
W4_CPU = Target("W4 CPU / msgspec", 8, 3, _each(lambda one: one.served["W4"].cpu / one.encoding))
W1_TAIL = Target("W1 p99 / p50", 4, 2.5, _each(lambda one: one.served["W1"].p99 / one.served["W1"].p50))

TARGETS = (
    W1_CPU,
    Target("W1 req/s against pgbench", 0.12, 0.20, _against_pgbench("W1"), at_most=False),
    W2_CPU,
    Target("W2 req/s against pgbench", 0.60, 0.85, _against_pgbench("W2"), at_most=False),
    W3_CPU,
    W4_CPU,
    Target("W5 growth of memory", 16, 4, _each(lambda one: one.growth / 1e6), "MB"),
    Target("W5 worst bare reply meanwhile", 25, 10, _each(lambda one: one.bare_worst), "ms"),
    Target("SQL statements a request, W1", 1, 1, _statements("W1")),
    Target("SQL statements a request, W2", 1, 1, _statements("W2")),
    W1_TAIL,
    Target("W1 req/s against the usual stack", 4, 7, _rate("W1", "usual W1"), at_most=False),
    Target("W2 req/s against the usual stack", 4, 7, _rate("W2", "usual W2"), at_most=False),
    Target("W3 req/s against the usual stack", 10, 18, _rate("W3", "usual W3"), at_most=False),
    Target("W4 req/s against the usual stack", 10, 18, _rate("W4", "usual W4"), at_most=False),
    Target("W1 req/s, 100,000 partners against 10", 0.85, 0.95, _rate("many W1", "W1"), at_most=False),
    Target("W2 req/s, 100,000 partners against 10", 0.85, 0.95, _rate("many W2", "W2"), at_most=False),
    Target(
        "slowest list of 100,000 partners in the console", 100, 60, lambda results: slowest_list(results.console), "ms"
    ),
    Target("sampling of 10,000 accounts", 300, 120, lambda results: results.sampling, "s"),
    Target("a month of 100,000 partners frozen", 120, 60, lambda results: results.freezing.seconds, "s"),
    Target("growth of memory meanwhile", 256, 64, lambda results: results.freezing.growth, "MB"),
    Target("a seller with three accounts, frozen by night", 18, 12, lambda results: results.small_sellers, "ms"),
    Target("statement of 500 partners", 100, 60, lambda results: results.freezing.pages.get(STATEMENT, []), "ms"),
    Target("working of a line", 50, 30, lambda results: results.freezing.pages.get(WORKING, []), "ms"),
    Target("statements as PDF, a second and core", 10, 20, lambda results: results.rendering, at_most=False),
)
