"""The hourly sampling of a region's cluster."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True)
class SamplingRun:
    """The state of a run. `finished`: it has been through all accounts, and `missed` of them did not respond."""

    region_id: int
    hour: datetime
    started_at: datetime
    finished: bool
    missed: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.finished and not self.missed


class SampledThrough(NamedTuple):
    """A region, and the last hour of which its cluster was sampled; None: there is none."""

    region: str
    hour: datetime | None
