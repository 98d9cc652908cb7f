"""The hourly sampling of a region's cluster."""

from dataclasses import dataclass
from datetime import datetime


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
