"""The `/metrics` endpoint for Prometheus: the requests of this process, and metrics from the database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from tonnage import __version__
from tonnage.alerts.lists import counts_by_level
from tonnage.api_keys.guard import OperatorViewer
from tonnage.db import Connection
from tonnage.epoch.epoch import Installation
from tonnage.epoch.queries import installation
from tonnage.forecasts.queries import ForecastRun, last_run
from tonnage.jobs.queries import JobCount, job_counts
from tonnage.metering.lists import RegionSampling, region_sampling
from tonnage.migrations import state
from tonnage.notifications.queries import due_mail_count
from tonnage.provisioning.lists import RegionProvisioning, region_provisioning
from tonnage.regions.queries import health
from tonnage.web.routing import ApiRoute
from tonnage.webhooks.delivery_queries import due_count

routes = APIRouter(route_class=ApiRoute)


@routes.get("/metrics", include_in_schema=False)
async def metrics(request: Request, call: OperatorViewer) -> Response:
    """In the Prometheus text format. The metrics from the database are the same in every process."""
    facts = await call.database.run(_facts, call.now, call.services.wall_clock())
    registry = CollectorRegistry()
    registry.register(facts)
    body = generate_latest(request.app.state.requests.registry) + generate_latest(registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})


@dataclass(frozen=True, eq=False)
class _Facts(Collector):
    now: datetime
    schema: str
    jobs: list[JobCount]
    health: list[tuple[str, bool, int]]
    region_provisioning: list[RegionProvisioning]
    sampled: list[RegionSampling]
    installation: Installation
    alerts: list[tuple[str, int, int]]
    forecast_run: ForecastRun | None
    wall_now: datetime
    deliveries_due: tuple[int, datetime | None]
    mails_due: int

    def collect(self) -> Iterator[Metric]:
        """All metrics, for Prometheus."""
        yield InfoMetricFamily(
            "tonnage",
            "Version of the program and revision of its database schema.",
            {"version": __version__, "schema": self.schema},
        )
        on_hold = GaugeMetricFamily("tonnage_on_hold", "1 while the database waits for `tonnage restore confirm`.")
        on_hold.add_metric((), float(self.installation.hold is not None))
        yield on_hold
        yield from self._of_jobs()
        yield from self._of_regions()
        yield from self._of_accounts()
        yield from self._of_sampling()
        yield from self._of_alerts()
        yield from self._of_forecasts()
        yield from self._of_outgoing()

    def _of_jobs(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily(
            "tonnage_jobs", "Jobs that are waiting, retrying, running or failed.", labels=("name", "status")
        )
        for one in self.jobs:
            jobs.add_metric((one.name, one.status), one.jobs)
        yield jobs
        oldest: dict[str, float] = {"waiting": 0, "retrying": 0}
        for one in self.jobs:
            if one.status in oldest and one.asked_at is not None:
                oldest[one.status] = max(oldest[one.status], self._seconds_since(one.asked_at))
        yield _gauge(
            "tonnage_job_oldest_seconds",
            "Seconds since the oldest job that is due was queued.",
            "status",
            oldest.items(),
        )

    def _of_regions(self) -> Iterator[Metric]:
        unhealthy = [(region, float(is_unhealthy)) for region, is_unhealthy, _ in self.health]
        yield _gauge("tonnage_region_unhealthy", "1 while the region's cluster cannot be used.", "region", unhealthy)
        failures = CounterMetricFamily(
            "tonnage_region_failed_checks",
            "Checks in which the region's cluster could not be used.",
            labels=("region",),
        )
        for region, _, failed in self.health:
            failures.add_metric((region,), failed)
        yield failures

    def _of_accounts(self) -> Iterator[Metric]:
        behind = GaugeMetricFamily(
            "tonnage_accounts_behind",
            "Storage accounts whose changes are not yet applied to their cluster, or are refused by it.",
            labels=("region", "state"),
        )
        repairs = CounterMetricFamily(
            "tonnage_repairs", "Differences that comparisons with the cluster have repaired.", labels=("region",)
        )
        for one in self.region_provisioning:
            behind.add_metric((one.region, "pending"), one.pending)
            behind.add_metric((one.region, "rejected"), one.rejected)
            repairs.add_metric((one.region,), one.repaired)
        drift = ((one.region, one.drift) for one in self.region_provisioning)
        yield behind
        yield repairs
        yield _gauge("tonnage_drift", "Differences that the last comparison has left to the operator.", "region", drift)

    def _of_sampling(self) -> Iterator[Metric]:
        lag = ((one.region, self._seconds_since(one.hour)) for one in self.sampled)
        yield _gauge("tonnage_sampling_lag_seconds", "Seconds since the hour that was sampled last.", "region", lag)
        missed = ((one.region, one.missed) for one in self.sampled)
        yield _gauge("tonnage_sampling_missed", "Accounts that did not answer in the last sampling.", "region", missed)

    def _of_alerts(self) -> Iterator[Metric]:
        alerts = GaugeMetricFamily(
            "tonnage_alerts",
            "Storage accounts, partners and contracts that have reached an alert level.",
            labels=("subject", "level"),
        )
        for subject, level, number in self.alerts:
            alerts.add_metric((subject, str(level)), number)
        yield alerts

    def _of_forecasts(self) -> Iterator[Metric]:
        run = self.forecast_run
        if run is None:
            return
        yield GaugeMetricFamily(
            "tonnage_forecast_subjects",
            "Storage accounts, partners and contracts with a capacity in the last run of forecasts.",
            run.subjects,
        )
        yield GaugeMetricFamily("tonnage_forecasts", "Those of these with a forecast of days.", run.forecasts)
        age = max(0.0, (self.wall_now - run.finished_at).total_seconds())
        yield GaugeMetricFamily("tonnage_forecast_age_seconds", "Seconds since that run has finished.", age)
        yield GaugeMetricFamily("tonnage_forecast_run_seconds", "Seconds that it has taken.", run.seconds)

    def _of_outgoing(self) -> Iterator[Metric]:
        due, since = self.deliveries_due
        yield GaugeMetricFamily("tonnage_webhook_deliveries_due", "Events that webhooks are to be sent now.", due)
        oldest = 0.0 if since is None else self._seconds_since(since)
        yield GaugeMetricFamily(
            "tonnage_webhook_oldest_due_seconds", "Seconds since the oldest of these was to be sent.", oldest
        )
        yield GaugeMetricFamily("tonnage_notification_mails_due", "Mails that are to be sent now.", self.mails_due)

    def _seconds_since(self, moment: datetime) -> float:
        # The queue uses the database's clock, which may be ahead of ours.
        return max(0.0, (self.now - moment).total_seconds())


def _gauge(name: str, about: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=(label,))
    for of, value in values:
        family.add_metric((of,), value)
    return family


async def _facts(conn: Connection, now: datetime, wall_now: datetime) -> _Facts:
    found = await state(conn)
    return _Facts(
        now,
        found.database or "",
        await job_counts(conn),
        await health(conn),
        await region_provisioning(conn),
        await region_sampling(conn),
        await installation(conn),
        await counts_by_level(conn),
        await last_run(conn),
        wall_now,
        await due_count(conn, wall_now),
        await due_mail_count(conn, wall_now),
    )
