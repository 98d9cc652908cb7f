"""The lines of a month before and after it was computed again, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

Line: TypeAlias = Mapping[str, Any]
"""A line as JSON."""

_SAME = ("quantityGbMonths", "byteDays", "unitPrice", "amount", "from", "to")
_ABOUT = ("product", "subject", "contract")


class Pair(NamedTuple):
    """A line as it was, and as it is: one of them is None where it is new, or gone."""

    before: Line | None
    after: Line | None

    @property
    def is_changed(self) -> bool:
        """Its number does not count, nor does what its subject is called."""
        if self.before is None or self.after is None:
            return True
        return _values(self.before, _SAME) != _values(self.after, _SAME)


def pairs(before: Iterable[Line], after: Iterable[Line]) -> list[Pair]:
    """In the order of the lines after it, then those that are gone.

    Lines belong together if they have the subject, the product and the contract in common. Of several, those with the
    same price and first day do, and the others in their order: the sums are right in any case.
    """
    left: dict[tuple[Any, ...], list[Line]] = {}
    for line in before:
        left.setdefault(_values(line, _ABOUT), []).append(line)
    now = list(after)
    found = [_same_price(left.get(_values(line, _ABOUT), []), line) for line in now]
    return [
        *(Pair(was or _first(left.get(_values(line, _ABOUT), [])), line) for was, line in zip(found, now, strict=True)),
        *(Pair(line, None) for lines in left.values() for line in lines),
    ]


def _same_price(left: list[Line], line: Line) -> Line | None:
    """Taken out of what is left."""
    keys = ("unitPrice", "from")
    for position, one in enumerate(left):
        if _values(one, keys) == _values(line, keys):
            return left.pop(position)
    return None


def _first(left: list[Line]) -> Line | None:
    return left.pop(0) if left else None


def _values(line: Line, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in names)
