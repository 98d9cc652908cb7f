"""Declares jobs: the name, queue, schedule and label of a job are declared at its function only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from tonnage.errors import Sentence
from tonnage.services import Services

JobFunction: TypeAlias = Callable[[Services, str], Awaitable[None]]
"""`(services, subject)`. The subject is the id of what the job is about; '' for a recurring job."""

SHORT, LONG = "default", "long"
"""Queues. Workers reserve slots for each, so that jobs of minutes do not delay new accounts and revoked keys."""


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


TAKE_OVER, DELETE_ENDED = "jobs.take_over", "jobs.delete_ended"

UPKEEP_LABELS = {
    TAKE_OVER: Sentence("Recover jobs of stopped workers"),
    DELETE_ENDED: Sentence("Delete old finished jobs"),
}
"""The labels of the queue's own jobs. Their functions need the queue of a worker, which makes them."""

DECLARED: dict[str, Job] = {}
"""Every job of the modules that have been imported, by name. `tonnage.worker` imports all of them."""


def job(
    name: str, *, label: str, queue: str = SHORT, of_region: bool = False, cron: str | None = None
) -> Callable[[JobFunction], JobFunction]:
    """Declares a function as the job `name`. ValueError: there is a job of that name."""

    def declare(function: JobFunction) -> JobFunction:
        if name in DECLARED:
            raise ValueError(f"the job {name} is declared twice")
        DECLARED[name] = Job(name, label, function, queue, of_region, cron)
        return function

    return declare
