"""What is promised, and how it is worked out of the rounds."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.console import slowest_list
from bench.rounds import Results, Round


@dataclass(frozen=True)
class Target:
    """`at_most`: the measured value must not be above `must`, else not below it."""

    what: str
    must: float
    aim: float
    values: list[float]
    unit: str = ""
    at_most: bool = True

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if not self.values:
            return "not measured"
        return "aim" if self._meets(self.aim) else "must" if self._meets(self.must) else "MISSED"

    def _meets(self, bound: float) -> bool:
        return self.median <= bound if self.at_most else self.median >= bound


def targets(results: Results) -> list[Target]:
    def each(value: Callable[[Round], float]) -> list[float]:
        return [value(one) for one in results.rounds]

    def cpu(name: str) -> list[float]:
        return each(lambda one: one.served[name].cpu / one.served["bare"].cpu)

    def rate(name: str, other: str) -> list[float]:
        return each(lambda one: one.served[name].rate / one.served[other].rate)

    def against_pgbench(name: str) -> list[float]:
        return [one.served[name].rate / one.pgbench[name] for one in results.rounds if name in one.pgbench]

    counts = [results.statements[name].count for name in ("W1", "W2")]
    return [
        Target("W1 CPU / R0", 12, 8, cpu("W1")),
        Target("W1 req/s against pgbench", 0.12, 0.20, against_pgbench("W1"), at_most=False),
        Target("W2 CPU / R0", 20, 12, cpu("W2")),
        Target("W2 req/s against pgbench", 0.60, 0.85, against_pgbench("W2"), at_most=False),
        Target("W3 CPU / R0", 25, 15, cpu("W3")),
        Target("W4 CPU / msgspec", 8, 3, each(lambda one: one.served["W4"].cpu / one.encoding)),
        Target("W5 growth of memory", 16, 4, each(lambda one: one.growth / 1e6), "MB"),
        Target("W5 worst bare reply meanwhile", 25, 10, each(lambda one: one.bare_worst), "ms"),
        Target("SQL statements a request, W1", 1, 1, counts[:1]),
        Target("SQL statements a request, W2", 1, 1, counts[1:]),
        Target("W1 p99 / p50", 4, 2.5, each(lambda one: one.served["W1"].p99 / one.served["W1"].p50)),
        Target("W1 req/s against the usual stack", 4, 7, rate("W1", "usual W1"), at_most=False),
        Target("W2 req/s against the usual stack", 4, 7, rate("W2", "usual W2"), at_most=False),
        Target("W3 req/s against the usual stack", 10, 18, rate("W3", "usual W3"), at_most=False),
        Target("W4 req/s against the usual stack", 10, 18, rate("W4", "usual W4"), at_most=False),
        Target("W1 req/s, 100,000 partners against 10", 0.85, 0.95, rate("many W1", "W1"), at_most=False),
        Target("W2 req/s, 100,000 partners against 10", 0.85, 0.95, rate("many W2", "W2"), at_most=False),
        Target("slowest list of 100,000 partners in the console", 100, 60, slowest_list(results.console), "ms"),
        Target("sampling of 10,000 accounts", 300, 120, results.sampling, "s"),
    ]
