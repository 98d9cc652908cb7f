"""What recurs in business time, step by step: done for each day when a sandbox has reached its beginning.

A step may be interrupted, and is then done again. So it does nothing twice.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from tonnage.alerts import actions as alerts
from tonnage.billing import actions as billing
from tonnage.db import Connection
from tonnage.epoch.actions import require_running
from tonnage.errors import NotFound
from tonnage.forecasts import actions as forecasts
from tonnage.jobs.declaration import DECLARED
from tonnage.jobs.queries import deferred_jobs, drop_waiting
from tonnage.metering import sampling_actions
from tonnage.month_end.freezing_actions import freeze_due
from tonnage.overdraft_caps import actions as overdraft_caps
from tonnage.overrides import actions as overrides
from tonnage.regions.queries import clusters
from tonnage.regions.region import SIMULATED
from tonnage.sandbox.level_actions import record_levels
from tonnage.services import Services
from tonnage.storage.simulated import SimulatedBackend
from tonnage.suspensions import overdue_actions as suspensions
from tonnage.usage import actions as usage

Step: TypeAlias = Callable[[Services], Awaitable[None]]

DEFERRED = (
    "provisioning.purge_region",
    "provisioning.reapply_partners",
    "provisioning.reconcile",
    "provisioning.requota",
    "suspensions.resume_settled",
    "usage.finish_days",
)
"""Jobs that a step defers, and that belong to it: they are done before the next one."""


async def complete_deferred(services: Services) -> None:
    """Runs the deferred jobs that are waiting, and those that they defer. A worker may be running them too: jobs may be
    run twice at once, and what they do is done when one of them returns."""
    done: set[int] = set()
    while waiting := await services.database.run(deferred_jobs, DEFERRED, sorted(done)):
        for name, subject in dict.fromkeys((name, subject) for _, name, subject in waiting):
            try:
                await DECLARED[name].function(services, subject)
            except NotFound:
                continue  # what it was about is gone
        ids = [job_id for job_id, _, _ in waiting]
        await services.database.run(drop_waiting, ids)
        done.update(ids)


async def sample(services: Services) -> None:
    """Levels become readings of the metered region, and the simulated one is sampled."""
    await record_levels(services.database, services.business_clock())
    for region in await services.database.run(clusters):
        if region.backend == SIMULATED:
            backend = await SimulatedBackend(services.database, region.region_id).measured()
            missed = await sampling_actions.measure(
                services.database, backend, region.region_id, services.business_clock
            )
            if missed:
                raise missed
    await complete_deferred(services)


async def roll_up(services: Services) -> None:
    """Imports that were accepted and not recorded yet become daily values. All other readings are, since they were
    recorded."""
    await usage.record_accepted(services.database, services.business_clock())


async def end_overrides(services: Services) -> None:
    """Overrides whose last day is over end, and the quotas follow; others are reminded of."""
    now = services.business_clock()
    await overrides.end_due(services.database, now)
    await overrides.remind(services.database, now)
    await complete_deferred(services)


async def compute_caps(services: Services) -> None:
    """What caps of overdraft in money allow; the quotas follow."""
    await overdraft_caps.compute_all(services.database, services.business_clock())
    await complete_deferred(services)


async def evaluate_alerts(services: Services) -> None:
    """What has reached a level of its capacity."""
    await alerts.evaluate(services.database, services.business_clock())


async def compute_forecasts(services: Services) -> None:
    """When what has a capacity will be full."""
    await forecasts.compute(services.database, services.business_clock(), services.wall_clock)


async def delete_due(services: Services) -> None:
    """Accounts whose date has come are deleted."""
    await DECLARED["provisioning.purge_all"].function(services, "")
    await complete_deferred(services)


async def compute_nets(services: Services) -> None:
    """What buyers are charged for the running month and the one before."""
    await billing.compute_last(services.database, services.business_clock())
    await billing.compute_running(services.database, services.business_clock())


async def maintain(services: Services) -> None:
    """Partitions are made and dropped, and old days closed, by the clock of the sandbox alone."""

    async def standing(conn: Connection) -> datetime:
        return services.business_clock()

    await usage.run_maintenance(services.database, services.business_clock(), standing)


async def freeze(services: Services) -> None:
    """The statements of the month before are frozen, of each seller from its day on."""
    await freeze_due(services, services.business_clock())


async def suspend_overdue(services: Services) -> None:
    """The rules of distributors about overdue statements."""
    await suspensions.apply_rules(services.database, services.business_clock())
    await complete_deferred(services)


STEPS: tuple[Step, ...] = (
    complete_deferred,
    sample,
    roll_up,
    end_overrides,
    compute_caps,
    evaluate_alerts,
    compute_forecasts,
    delete_due,
    compute_nets,
    maintain,
    freeze,
    suspend_overdue,
)
"""In this order. What is new in business time is added here."""


async def run_steps(services: Services) -> None:
    """All of them, for the present day. OnHold: the database was restored from a backup and is not confirmed."""
    await require_running(services)
    for step in STEPS:
        await step(services)
