"""Audited actions in a sandbox."""

from datetime import date, timedelta

from tests.audit.recorded import AuditData, Case, Recorded
from tests.cast import TB
from tonnage.regions.backends import OpenBackends
from tonnage.sandbox.actions import advance
from tonnage.sandbox.level import UsageLevel
from tonnage.sandbox.level_actions import set_usage
from tonnage.sandbox.queries import clock_state
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import Services


async def sandbox_advance(data: AuditData) -> Recorded:
    state = await data.database.run(clock_state)
    assert state is not None
    services = Services(
        data.database,
        OpenBackends(data.database, None),
        **SandboxClock(state.time).options,
        data_dir=data.key_file.parent,
    )
    until = state.time + timedelta(days=1, hours=6)
    async with data.watched():
        await advance(services, data.operator, until)
    before, after = ({"time": moment.isoformat()} for moment in (state.time, until))
    return data.entry("sandbox.advance", data.operator, data.cast.operator, "clock", before, after)


async def sandbox_usage(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    level = UsageLevel(date(2026, 11, 2), date(2026, 11, 5), TB)
    async with data.watched():
        await data.run(set_usage, data.operator, account, level, data.cast.now)
    after = {"from": "2026-11-02", "to": "2026-11-05", "bytes": TB}
    return data.entry("sandbox.usage", data.operator, data.partner, account, after=after)


CASES: list[Case] = [sandbox_advance, sandbox_usage]
