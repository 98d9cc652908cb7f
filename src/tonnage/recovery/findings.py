"""What a comparison of a restored database with the world around it finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tonnage.epoch.epoch import Hold
from tonnage.epoch.record import EpochRecord
from tonnage.numbering.series import Gap
from tonnage.provisioning.drift import Drift

MAILS = (
    "authentication.send_reset",
    "authentication.notify_blocked",
    "authentication.notify_failures",
    "devices.send_link",
    "notices.notify",
    "notices.send",
)
"""The jobs that send mails."""


@dataclass(frozen=True)
class WaitingAccount:
    """An account that waits for its deletion here. `marked`: the cluster has it marked with the same date."""

    account_id: int
    name: str
    due: datetime
    marked: bool


@dataclass
class RegionFindings:
    """A cluster compared with the database. `problem`: why it could not be compared. `unconfirmed`: it could not be at
    the last confirmation."""

    region: str
    region_id: int
    waiting: list[WaitingAccount] = field(default_factory=list[WaitingAccount])
    drift: list[Drift] = field(default_factory=list[Drift])
    problem: str | None = None
    unconfirmed: bool = False

    @property
    def cancelled(self) -> list[WaitingAccount]:
        """Accounts whose deletion was probably cancelled or postponed by a newer database."""
        return [one for one in self.waiting if not one.marked]


@dataclass
class Findings:
    """The whole result. `active_again`: kind, organisation and name of what was revoked and is active here."""

    epoch: int
    hold: Hold | None
    records: list[EpochRecord]
    active_again: list[tuple[str, str, str]]
    mails: int
    regions: list[RegionFindings]
    numbers: list[Gap]
    """Of documents: what was recorded outside, and is not known here."""
    unread: Sequence[str] = ()
    """Why no place could be read in which numbers are recorded."""

    @property
    def may_lack_numbers(self) -> bool:
        """Whether numbers that are recorded outside were perhaps given to documents. Otherwise a freeze was interrupted
        between the record and the end of its transaction, and they were not."""
        return self.hold is not None or self.is_older or any(one.unconfirmed for one in self.regions)

    @property
    def is_older(self) -> bool:
        """Whether a place has a higher epoch than the database."""
        return any(record.epoch > self.epoch for record in self.records)

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to be decided or confirmed, and everything could be compared."""
        return not (
            self.hold
            or self.is_older
            or self.active_again
            or self.numbers
            or self.unread
            or any(record.problem for record in self.records)
            or any(one.problem or one.unconfirmed or one.drift for one in self.regions)
        )


@dataclass(frozen=True)
class Confirmed:
    """What `confirm` has done, in numbers; `epoch`: the new one."""

    epoch: int
    deletions: list[int]
    """Accounts whose deletion was taken back."""
    keys: int
    members: int
    last_admins: list[str]
    """Members that were kept, because their organisation has no other admin: organisations."""
    mails: int
    pending_keys: int
    numbers: list[Gap]
    """Of documents: what may have been issued after the backup, and is not given again."""
    regions: dict[str, bool]
    """Whether its cluster is compared now. If not, nothing is changed there."""
