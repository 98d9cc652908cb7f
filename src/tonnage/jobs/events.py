"""The events of jobs: what their audit entries are called."""

from tonnage.access.event import OPERATOR_ONLY, Event

EVENTS = (Event("job.retry", "Retried job", OPERATOR_ONLY),)
