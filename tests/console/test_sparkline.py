"""The geometry of bars and trends."""

import pytest

from tonnage.console.sparkline import LoadLine, load_line, trend_points


@pytest.mark.parametrize(
    ("used", "allocated", "expected"),
    [
        (0, 100, LoadLine(0, 0, 80)),
        (50, 100, LoadLine(40, 0, 80)),
        (100, 100, LoadLine(80, 0, 80)),
        (125, 100, LoadLine(80, 20, 80)),
        (200, 100, LoadLine(50, 50, 50)),
        (0, 0, LoadLine(0, 0, None)),
        (150, 0, LoadLine(75, 0, None)),
        (1000, 0, LoadLine(100, 0, None)),
        (1, 2**63 - 1, LoadLine(0, 0, 80)),
    ],
)
def test_the_load_line(used: int, allocated: int, expected: LoadLine) -> None:
    assert load_line(used, allocated) == expected


@pytest.mark.parametrize("allocated", [1, 7, 10**12, 2**63 - 1])
def test_a_bar_is_never_longer_than_its_track(allocated: int) -> None:
    for part in range(0, 400, 7):
        line = load_line(allocated * part / 100, allocated)
        assert line.mark is not None
        assert line.fill + line.excess <= 100.1
        assert line.fill <= line.mark
        assert (line.excess > 0) == (part > 100) or allocated * part / 100 - allocated < allocated / 1000


def test_a_trend_begins_at_the_left_and_ends_at_the_right() -> None:
    assert trend_points([0, 5, 10]) == "0.0,19.0 45.0,10.0 90.0,1.0"
    assert trend_points([0, 0]) == "0.0,19.0 90.0,19.0"
    assert trend_points([3]) == ""
    assert trend_points([]) == ""
