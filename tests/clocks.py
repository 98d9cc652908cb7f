"""Both clocks of an application, set by the test."""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from tonnage.clock import BusinessClock, WallClock


class Clocks(TypedDict):
    business_clock: BusinessClock
    wall_clock: WallClock


def clocks(read: Callable[[], datetime]) -> Clocks:
    return {"business_clock": BusinessClock(read), "wall_clock": WallClock(read)}
