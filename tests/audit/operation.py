"""Regions, jobs and usage: the operator's audited actions."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tonnage.epoch.queries import begin_hold, end_hold, installation
from tonnage.jobs import defer
from tonnage.jobs.actions import retry
from tonnage.provisioning.drift_actions import confirm_cluster, request_full_reconcile
from tonnage.regions import actions as regions
from tonnage.regions.queries import clusters, record_recovery, record_unhealthy
from tonnage.regions.region import Gateway, NewRegion
from tonnage.usage.actions import correct_day, import_samples
from tonnage.usage.correction import Correction

_PUBLIC = {
    "s3_url": "https://s3.example.org",
    "iam_url": "https://iam.example.org",
    "sts_url": "https://sts.example.org",
}
_METERED = {"backend": "metered", "admin_url": None}


async def region_create(data: AuditData) -> Recorded:
    region = NewRegion(f"r{uuid4().hex[:12]}", *_PUBLIC.values())
    async with data.watched():
        await data.run(regions.add_region, data.operator, region, NOW)
    return data.entry("region.create", data.operator, data.operator, region.name, after=_PUBLIC)


async def _connect(data: AuditData, region: str, address: str) -> None:
    gateway = Gateway(address, "ACCESS", "secret")
    await data.run(regions.connect_region, data.operator, region, gateway, NOW, data.key_file)


async def region_connect(data: AuditData) -> Recorded:
    region = await data.cast.region()
    async with data.watched():
        await _connect(data, region, "http://127.0.0.1:1")
    after = {"backend": "ceph", "admin_url": "http://127.0.0.1:1"}
    return data.entry("region.connect", data.operator, data.operator, region, _METERED, after)


async def region_connect_elsewhere(data: AuditData) -> Recorded:
    region = await data.cast.region()
    await _connect(data, region, "http://127.0.0.1:1")
    async with data.watched():
        await _connect(data, region, "http://127.0.0.1:2")
    before = {"backend": "ceph", "admin_url": "http://127.0.0.1:1"}
    after = {"backend": "ceph", "admin_url": "http://127.0.0.1:2"}
    return data.entry("region.connect", data.operator, data.operator, region, before, after)


async def region_default(data: AuditData) -> Recorded:
    (old,) = await data.cast.row("select name from region where is_default")
    region = await data.cast.region()
    async with data.watched():
        await data.run(regions.make_default, data.operator, region)
    return data.entry("region.default", data.operator, data.operator, region, {"default": old}, {"default": region})


async def region_state_capacity(data: AuditData) -> Recorded:
    region = await data.cast.region()
    async with data.watched():
        await data.run(regions.state_capacity, data.operator, region, 10**15, data.cast.now)
    return data.entry("region.state-capacity", data.operator, data.operator, region, after={"physicalCapacity": 10**15})


async def region_delete(data: AuditData) -> Recorded:
    region = await data.cast.region()
    async with data.watched():
        await data.run(regions.remove_region, data.operator, region)
    return data.entry("region.delete", data.operator, data.operator, region, before={**_PUBLIC, **_METERED})


async def _region_id(data: AuditData) -> tuple[str, int]:
    name = await data.cast.region()
    (region_id,) = await data.cast.row("select id from region where name = %s", name)
    return name, region_id


async def region_fail(data: AuditData) -> Recorded:
    name, region_id = await _region_id(data)
    async with data.watched():
        for reason in ("Away.", "Still away."):
            await data.run(record_unhealthy, region_id, reason, NOW)
    return data.entry("region.fail", data.job, data.operator, name, after={"reason": "Away."})


async def region_recover(data: AuditData) -> Recorded:
    name, region_id = await _region_id(data)
    await data.run(record_unhealthy, region_id, "Away.", NOW)
    async with data.watched():
        await data.run(record_recovery, region_id)
        await data.run(record_recovery, region_id)
    return data.entry("region.recover", data.job, data.operator, name, before={"reason": "Away."})


async def region_reconcile(data: AuditData) -> Recorded:
    region = await data.cast.region()
    await _connect(data, region, "http://127.0.0.1:1")
    async with data.watched():
        await data.run(request_full_reconcile, data.operator, region)
    return data.entry("region.reconcile", data.operator, data.operator, region)


async def region_reconcile_at_once(data: AuditData) -> Recorded:
    region = await data.cast.region()
    await _connect(data, region, "http://127.0.0.1:1")
    (cluster,) = [one for one in await data.run(clusters) if one.name == region]
    async with data.watched():
        await data.run(confirm_cluster, data.operator, cluster)
    return data.entry("region.reconcile", data.operator, data.operator, region)


async def _installation(data: AuditData) -> tuple[str, int]:
    found = await data.run(installation)
    return str(found.id), found.epoch


async def installation_hold(data: AuditData) -> Recorded:
    subject, _ = await _installation(data)
    async with data.watched():
        await data.run(begin_hold, "older", 1, NOW, data.operator.stamp)
    await data.run(end_hold, 1, data.operator.stamp)
    return data.entry("installation.hold", data.operator, data.operator, subject, after={"reason": "older"})


async def installation_confirm(data: AuditData) -> Recorded:
    subject, epoch = await _installation(data)
    async with data.watched():
        await data.run(end_hold, epoch + 5, data.operator.stamp)
    before, after = {"epoch": epoch}, {"epoch": epoch + 6}
    return data.entry("installation.confirm", data.operator, data.operator, subject, before, after)


async def job_retry(data: AuditData) -> Recorded:
    subject = str(data.partner.organisation_id)
    await data.run(defer, "provisioning.requota", subject)
    failing = "update procrastinate_jobs set status = 'failed' where args->>'subject' = %s returning id"
    (job_id,) = await data.cast.row(failing, subject)
    async with data.watched():
        await data.run(retry, data.operator, [job_id])
    after = {"name": "provisioning.requota", "subject": subject}
    return data.entry("job.retry", data.operator, data.operator, job_id, after=after)


async def usage_import(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    lines = [f"{account},{NOW:%Y-%m-%dT%H:%M:%SZ},1000\n".encode()]
    async with data.watched():
        await import_samples(data.cast.database, data.operator, lambda: lines, NOW)
    after = {"samples": 1, "accounts": 1}
    return data.entry("usage.import", data.operator, data.operator, "usage", after=after)


async def usage_correct(data: AuditData) -> Recorded:
    # Long before the days of other tests in this database.
    data.cast.now = datetime(2001, 1, 1, tzinfo=UTC)
    account = await data.cast.account(data.partner)
    day = data.cast.now.date()
    close = "update usage_retention set readings_closed_before = greatest(readings_closed_before, %s) returning 1"
    await data.cast.row(close, day + timedelta(days=1))
    async with data.watched():
        await data.run(correct_day, data.operator, account, Correction(day, 1000), NOW)
    before, after = {"day": str(day), "usage": 0}, {"day": str(day), "usage": 1000}
    return data.entry("usage.correct", data.operator, data.partner, account, before=before, after=after)


CASES: list[Case] = [
    region_create,
    region_connect,
    region_connect_elsewhere,
    region_default,
    region_state_capacity,
    region_delete,
    region_fail,
    region_recover,
    region_reconcile,
    region_reconcile_at_once,
    installation_hold,
    installation_confirm,
    job_retry,
    usage_import,
    usage_correct,
]
