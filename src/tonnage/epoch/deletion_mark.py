"""Marks on a cluster: which accounts wait there for their deletion since when, and whose purge has started.

Two objects mark an account that waits. Their names have no `:`, which breaks the signature of a request.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tonnage.storage.bucket import ObjectList

WAITING, STARTED = "waiting/", "purged/"

_SINCE = re.compile(r"waiting/([0-9]{12})/since", re.ASCII)
_DUE = re.compile(r"waiting/([0-9]{12})/([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)", re.ASCII)
_FORM = "%Y%m%dT%H%M%S.%fZ"


@dataclass
class DeletionMark:
    """The mark of one account.

    `since`: when it was set, by the cluster's clock; it stays when the date is changed. `due`: the dates of its
    deletion; two of them if a change of the date was interrupted.
    """

    since: datetime | None = None
    due: set[datetime] = field(default_factory=set[datetime])

    def names(self, due: datetime) -> bool:
        """Whether it is complete, with that date and no other."""
        return self.since is not None and self.due == {due}


@dataclass(frozen=True)
class DeletionMarks:
    """The marks on a cluster. `now`: the time of its clock."""

    now: datetime
    waiting: dict[int, DeletionMark]

    def allows_purge(self, account_id: int, due: datetime, grace: timedelta) -> bool:
        """Whether the account has been marked with that date for at least the grace period, by the cluster's clock."""
        mark = self.waiting.get(account_id)
        return mark is not None and mark.names(due) and mark.since is not None and self.now - mark.since >= grace

    def names(self, account_id: int, due: datetime) -> bool:
        """Whether the account is marked with that date."""
        mark = self.waiting.get(account_id)
        return mark is not None and mark.names(due)


def since_key(account_id: int) -> str:
    """The object whose age says since when the account has been marked."""
    return f"{WAITING}{account_id}/since"


def due_key(account_id: int, due: datetime) -> str:
    """The object whose name has the date of the deletion."""
    return f"{WAITING}{account_id}/{due.astimezone(UTC).strftime(_FORM)}"


def started_key(account_id: int) -> str:
    """The object that says that the purge of the account has started."""
    return f"{STARTED}{account_id}"


def parsed(listing: ObjectList) -> DeletionMarks:
    """The marks in a listing of `waiting/`; other objects are left out."""
    marks: dict[int, DeletionMark] = {}
    for one in listing.objects:
        if match := _SINCE.fullmatch(one.key):
            marks.setdefault(int(match[1]), DeletionMark()).since = one.modified
        elif match := _DUE.fullmatch(one.key):
            marks.setdefault(int(match[1]), DeletionMark()).due.add(_date(match[2]))
    return DeletionMarks(listing.now, marks)


def started_since(listing: ObjectList, account_id: int) -> timedelta | None:
    """How long ago the purge of the account was started, in a listing of its `started_key`; None: it was not."""
    return next((listing.now - one.modified for one in listing.objects if one.key == started_key(account_id)), None)


def _date(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
