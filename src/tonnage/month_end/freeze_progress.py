"""How far a freeze has come."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias


class FreezeStage(StrEnum):
    """The parts of a freeze that take time, in their order."""

    COMPUTE = "compute"
    """Buyers whose statements are computed."""
    CHECK = "check"
    """Statements that are computed again, from what is stored with them."""


@dataclass(frozen=True)
class FreezeProgress:
    """Of a stage, how many are done."""

    stage: FreezeStage
    done: int
    total: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"stage": self.stage, "done": self.done, "total": self.total}


Report: TypeAlias = Callable[[FreezeProgress], None]
"""Receives each step."""
