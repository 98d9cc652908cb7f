"""A mail to the contact of a storage account: how full the account is, in words for a customer without a login."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tonnage.errors import Sentence
from tonnage.units import Size, format_size, parse_size

APART = timedelta(hours=1)
"""Between two mails to an address."""


class ContactMail(NamedTuple):
    """What is due to be mailed, and to whom. Capacities in bytes."""

    account_id: int
    email: str
    email_key: str
    account: str
    partner_id: UUID
    partner: str
    used: int
    capacity: int
    """Its allocation, or more while an override runs. 0: pay-per-use, which has no alerts."""
    overdraft: bool
    alert: int | None
    """The `alert.seq` of the highest level that it has reached; None: it has fallen below all of them since."""
    level: int | None
    """That one, in percent."""
    crossed_at: datetime | None
    mailed_alert: int | None
    """That of the last mail."""
    is_open: bool
    """The account and its partner are neither suspended nor on their way out, and the partner mails contacts."""

    @property
    def is_news(self) -> bool:
        """Whether there is something to mail: a level that no mail has said."""
        if not self.is_open or self.alert is None or self.capacity == 0:
            return False
        return self.mailed_alert is None or self.alert > self.mailed_alert

    @property
    def is_full(self) -> bool:
        """Whether all of it is used."""
        return self.used >= self.capacity

    @property
    def subject(self) -> Sentence:
        """In one line."""
        if self.is_full:
            return Sentence("All storage of {account} is in use", account=self.account)
        percent = self.used * 100 // self.capacity
        return Sentence("{percent} % of the storage of {account} is in use", percent=percent, account=self.account)

    @property
    def why(self) -> Sentence:
        """Why its reader gets it."""
        return Sentence(
            "You get this mail because your address is the contact of {account} at {partner}.",
            account=self.account,
            partner=self.partner,
        )

    def sentences(self, level: int, crossed_at: datetime) -> list[Sentence]:
        """What is used of what, since when, and what that means."""
        used = Sentence(
            "{account} uses {used} of {capacity}. It has been at {level} % or more since {since}.",
            account=self.account,
            used=_short(self.used),
            capacity=_short(self.capacity),
            level=level,
            since=crossed_at.date(),
        )
        return [used, self._meaning]

    @property
    def _meaning(self) -> Sentence:
        if self.overdraft and self.is_full:
            return Sentence("You can go on storing data. What is above the agreed capacity may cost more.")
        if self.overdraft:
            return Sentence(
                "When all of it is in use, you can go on storing data. What is above the agreed capacity may cost more."
            )
        if self.is_full:
            return Sentence(
                "New data is refused until you have deleted some, or have more capacity. You can read and delete what "
                "is stored as before."
            )
        return Sentence(
            "When all of it is in use, new data is refused until you have deleted some, or have more capacity. You can "
            "still read and delete what is stored."
        )


def _short(size: int) -> Size:
    return Size(parse_size(format_size(size)))
