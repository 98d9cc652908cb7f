"""The audit entries of timed overrides."""

from datetime import timedelta
from typing import Any

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.cast import TB
from tonnage.overrides import actions
from tonnage.overrides.override import NewOverride

_OVERRIDE = NewOverride(20 * TB, NOW.date() + timedelta(days=3), "Season", is_free=True)
_SMALL = NewOverride(5 * TB, NOW.date() + timedelta(days=3), "Season", is_free=True)


def _facts(override: NewOverride) -> dict[str, Any]:
    return {"capacity": override.capacity, "until": str(override.until), "free": True, "reason": "Season"}


async def account_grant_override(data: AuditData) -> Recorded:
    account, whose = await data.cast.account(data.partner, TB), data.partner
    async with data.watched():
        for _ in range(2):
            await data.run(actions.grant_to_account, whose, whose.organisation_id, account, _SMALL, NOW)
    after = {**_facts(_SMALL), "revision": 2}
    return data.entry("account.grant-override", whose, whose, account, after=after)


async def account_end_override(data: AuditData) -> Recorded:
    account, whose = await data.cast.account(data.partner, TB), data.partner
    await data.run(actions.grant_to_account, whose, whose.organisation_id, account, _SMALL, NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.end_of_account, whose, whose.organisation_id, account, NOW)
    return data.entry("account.end-override", whose, whose, account, _facts(_SMALL), {"revision": 3})


async def account_override_ending(data: AuditData) -> Recorded:
    await actions.remind(data.database, NOW + timedelta(days=1))  # of what other cases have left
    account, whose = await data.cast.account(data.partner, TB), data.partner
    await data.run(actions.grant_to_account, whose, whose.organisation_id, account, _SMALL, NOW)
    async with data.watched():
        for _ in range(2):
            await actions.remind(data.database, NOW + timedelta(days=1))
    return data.entry("account.override-ending", data.job, whose, account, after=_facts(_SMALL))


async def partner_grant_override(data: AuditData) -> Recorded:
    whose, by = data.partner, data.distributor
    async with data.watched():
        for _ in range(2):
            await data.run(actions.grant_to_partner, by, whose.organisation_id, _OVERRIDE, NOW)
    after = {**_facts(_OVERRIDE), "revision": 2}
    return data.entry("partner.grant-override", by, whose, whose.organisation_id, after=after)


async def partner_end_override(data: AuditData) -> Recorded:
    await actions.end_due(data.database, NOW + timedelta(days=4))
    whose = data.partner
    await data.run(actions.grant_to_partner, data.distributor, whose.organisation_id, _OVERRIDE, NOW)
    async with data.watched():
        for _ in range(2):
            await actions.end_due(data.database, NOW + timedelta(days=4))
    before, after = _facts(_OVERRIDE), {"revision": 3}
    return data.entry("partner.end-override", data.job, whose, whose.organisation_id, before, after)


async def partner_override_ending(data: AuditData) -> Recorded:
    await actions.remind(data.database, NOW + timedelta(days=3))
    whose = data.partner
    await data.run(actions.grant_to_partner, data.distributor, whose.organisation_id, _OVERRIDE, NOW)
    async with data.watched():
        await actions.remind(data.database, NOW + timedelta(days=3))
        await actions.remind(data.database, NOW + timedelta(days=3))
    return data.entry("partner.override-ending", data.job, whose, whose.organisation_id, after=_facts(_OVERRIDE))


CASES: list[Case] = [
    account_grant_override,
    account_end_override,
    account_override_ending,
    partner_grant_override,
    partner_end_override,
    partner_override_ending,
]
