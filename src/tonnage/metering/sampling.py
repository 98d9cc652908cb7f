"""The hourly sampling of a region's cluster."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SamplingRun:
    """A run as it stands. `finished`: it has been through all accounts, of which `missed` did not answer."""

    region_id: int
    hour: datetime
    started_at: datetime
    finished: bool
    missed: int

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.finished and not self.missed
