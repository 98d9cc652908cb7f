"""Declares jobs: the name, queue, schedule and label of a job are declared at its function only."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from tonnage.errors import Sentence
from tonnage.services import Services

JobFunction: TypeAlias = Callable[[Services, str], Awaitable[None]]
"""`(services, subject)`. The subject is the id of what the job is about; '' for a recurring job."""

SHORT, LONG, OUTBOUND = "default", "long", "outbound"
"""Queues. Workers reserve slots for each, so that neither jobs of minutes nor those that wait for servers of others
delay new accounts and revoked keys."""

FIRST = "0001"
"""The revision of the first release."""


class Clock(Enum):
    """By which clock a job recurs."""

    BUSINESS = "business"
    """Days of the business, such as deletions that are due. In a sandbox it recurs when the clock is advanced."""
    WALL = "wall"
    """Upkeep, which goes on while a sandbox stands still."""


@dataclass(frozen=True)
class Job:
    """A declared job."""

    name: str
    label: str
    """What it does, in English, for the operator's page; translated for display."""
    function: JobFunction
    queue: str = SHORT
    of_region: bool = False
    """Whether its subject is a region."""
    cron: str | None = None
    """When it recurs, in UTC, once per period with any number of workers; None: only when deferred."""
    clock: Clock | None = None
    """By which clock; None: it does not recur."""
    since: str = FIRST
    """The revision of the release that brings it."""
    waits_on_hold: bool = False
    """Whether it waits while the database may be older than what was done: it destroys, repairs or mails."""

    @property
    def stored_queue(self) -> str:
        """The queue's name in the database: see `stored_queues`."""
        return _stored(self.queue, self.since)


def stored_queues(queue: str, revisions: Iterable[str]) -> list[str]:
    """The names in the database of a queue, for a worker that has these revisions.

    Each revision has a queue of its own for the jobs that it brings. During an upgrade workers of the previous release
    still run: one that fetched a job which it does not know would fail it for good.
    """
    return [_stored(queue, revision) for revision in revisions]


def _stored(queue: str, revision: str) -> str:
    return queue if revision == FIRST else f"{queue}-{revision}"


TAKE_OVER, DELETE_ENDED = "jobs.take_over", "jobs.delete_ended"

UPKEEP_LABELS = {
    TAKE_OVER: Sentence("Recover jobs of stopped workers"),
    DELETE_ENDED: Sentence("Delete old finished jobs"),
}
"""The labels of the queue's own jobs. Their functions need the queue of a worker, which makes them."""

DECLARED: dict[str, Job] = {}
"""Every job of the modules that have been imported, by name. `tonnage.worker` imports all of them."""


def job(
    name: str,
    *,
    label: str,
    queue: str = SHORT,
    of_region: bool = False,
    cron: str | None = None,
    clock: Clock | None = None,
    since: str = FIRST,
    waits_on_hold: bool = False,
) -> Callable[[JobFunction], JobFunction]:
    """Declares a function as the job `name`, which the release with the revision `since` brings. ValueError: there is a
    job of that name, or it recurs without a clock.
    """

    def declare(function: JobFunction) -> JobFunction:
        if name in DECLARED:
            raise ValueError(f"the job {name} is declared twice")
        if (cron is None) is not (clock is None):
            raise ValueError(f"the job {name} needs a clock if it recurs, and none if it does not")
        DECLARED[name] = Job(name, label, function, queue, of_region, cron, clock, since, waits_on_hold)
        return function

    return declare
