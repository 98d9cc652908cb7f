"""Levels: the bytes that an account of a sandbox stores on all days of a range."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tonnage.errors import Invalid

_DAY = timedelta(days=1)

LAST_DAY = date(2199, 12, 31)
"""The last day that a sandbox reaches."""


def midnight(day: date) -> datetime:
    """Its beginning, UTC."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True)
class LevelAccount:
    """What the rules of levels need of an account."""

    created_at: datetime
    purged_at: datetime | None


@dataclass(frozen=True)
class UsageLevel:
    """`size` bytes on each day from `first` through `last`."""

    first: date
    last: date
    size: int

    def check(self, account: LevelAccount, first_open: date) -> None:
        """Raises Invalid, naming `from` or `to`. `first_open`: the first day that is open for readings."""
        created = account.created_at.date()
        if self.last < self.first:
            raise Invalid.field("to", "must not be before {first}", first=str(self.first))
        if self.last > LAST_DAY:
            raise Invalid.field("to", "must be {last} or earlier", last=str(LAST_DAY))
        if self.first < created:
            raise Invalid.field(
                "from", "must be {created} or later, when the account was created", created=str(created)
            )
        if self.first < first_open:
            raise Invalid.field(
                "from",
                "must be {first} or later: earlier days are closed, and are corrected with `tonnage usage correct`",
                first=str(first_open),
            )
        if account.purged_at is not None and self.last > account.purged_at.date():
            raise Invalid.field(
                "to", "must be {last} or earlier, when the account was deleted", last=str(account.purged_at.date())
            )

    def readings(self, created_at: datetime, today: date) -> list[datetime]:
        """The times of the readings up to today: the beginning of each day, or the account's creation."""
        days = (min(self.last, today) - self.first).days + 1
        return [max(midnight(self.first + n * _DAY), created_at) for n in range(days)]

    @property
    def end(self) -> datetime:
        """When what held before goes on."""
        return midnight(self.last + _DAY)

    def ends_before(self, today: date, account: LevelAccount) -> bool:
        """Whether what held before has gone on already."""
        return self.end.date() <= min(today, account.purged_at.date() if account.purged_at else today)
