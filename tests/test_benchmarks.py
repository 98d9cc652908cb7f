"""The page of benchmarks, and the comparison of two checkouts."""

import re
from dataclasses import replace

from bench import paired, report
from bench.rounds import Measure, Results, Round

_PRINTED = report.render(Results({}, []), "18.1")


def test_what_was_measured_is_no_part_of_the_shape() -> None:
    other = re.sub(r"\| 0 \|", "| 17 |", _PRINTED).replace("PostgreSQL 18.1", "PostgreSQL 17.2")
    assert other != _PRINTED
    assert report.shape(other) == report.expected_shape()


def test_rows_labels_bounds_and_text_are() -> None:
    lines = _PRINTED.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| ") and not line.startswith("| ---"):
            without = "\n".join(lines[:number] + lines[number + 1 :])
            assert report.shape(without) != report.expected_shape(), line
    for printed, other in (("<= 12 |", "<= 13 |"), ("usual stack W3", "usual stack"), ("fsync on", "fsync off")):
        assert report.shape(_PRINTED.replace(printed, other)) != report.expected_shape(), other


def _results(*costs: float) -> Results:
    measure = Measure(100, 200, 1_000, 8, 9)
    return Results({}, [Round(dict.fromkeys(paired.WORKLOADS, replace(measure, cpu=100 * cost))) for cost in costs])


def test_a_checkout_is_worse_when_the_median_of_its_rounds_is() -> None:
    even = _results(1, 1, 1)
    assert not paired.compare(_results(1.04, 1.04, 3), even)[1]
    rows, worse = paired.compare(_results(1.06, 1.06, 0.5), even)
    assert worse
    assert [row for row in rows if "WORSE" in row] == [row for row in rows if "CPU" in row]


def test_fewer_requests_a_second_are_worse() -> None:
    even = _results(1)
    slower = Results({}, [Round({name: replace(one, rate=900) for name, one in even.rounds[0].served.items()})])
    assert paired.compare(slower, even)[1]
    assert not paired.compare(even, slower)[1]
