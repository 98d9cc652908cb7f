"""The geometry of what pages draw: the load line, and the little lines of trends. Pure; percentages of the width."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_MARK = 80.0
"""Where the mark stands while there is room beyond it: the eye compares bars by one ruler."""


@dataclass(frozen=True)
class LoadLine:
    """A capacity as a bar. Percentages of its width, one decimal."""

    fill: float
    """What is used, up to the mark."""
    excess: float
    """What is used beyond it."""
    mark: float | None
    """Where the allocation is; None: there is none to exceed."""


def load_line(used: float | Decimal, allocated: float | Decimal) -> LoadLine:
    """The bar of `used` bytes of `allocated` ones; 0 is pay-per-use, and has no mark.

    The mark stands at 80 % until a quarter more than the allocation is used; from there on the bar is full, and the
    mark moves to the left. Without a mark the bar says the order of magnitude: it is full at the next 1, 2 or 5.
    """
    used, allocated = float(used), float(allocated)
    if allocated <= 0:
        return LoadLine(_percent(used, _next_round(used)), 0, None)
    whole = max(used, allocated * 100 / _MARK)
    mark = _percent(allocated, whole)
    return LoadLine(_percent(min(used, allocated), whole), _percent(max(0, used - allocated), whole), mark)


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _next_round(value: float) -> float:
    if value <= 0:
        return 0
    power = 10.0 ** (len(str(int(value))) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def trend_points(values: Sequence[float], width: int = 90, height: int = 20) -> str:
    """The points of an SVG polyline through `values`, from 0 at the bottom; '' for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(values) or 1
    step = width / (len(values) - 1)
    inner = height - 2  # room for half of the line's width
    return " ".join(
        f"{index * step:.1f},{height - 1 - inner * float(value) / float(top):.1f}" for index, value in enumerate(values)
    )
