"""The audit entries of caps of overdraft: of an amount of money only that it is one."""

from decimal import Decimal

from tests.audit.recorded import NOW, AuditData, Case, Recorded
from tests.cast import TB
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap


async def account_set_overdraft_cap(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner, TB, overdraft=True)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.set_of_account, data.partner, account, NewCap(percent=10), NOW)
    after = {"percent": 10, "revision": 2}
    return data.entry("account.set-overdraft-cap", data.partner, data.partner, account, after=after)


async def account_set_overdraft_cap_to_none(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner, TB, overdraft=True)
    await data.run(actions.set_of_account, data.partner, account, NewCap(capacity=TB), NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.remove_of_account, data.partner, account)
    before = {"capacity": TB}
    return data.entry("account.set-overdraft-cap", data.partner, data.partner, account, before, {"revision": 3})


async def account_set_overdraft_cap_in_money(data: AuditData) -> Recorded:
    account = await data.cast.account(data.partner)
    await data.cast.price(data.partner, "10", NOW)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.set_of_account, data.partner, account, NewCap(amount=Decimal(100)), NOW)
    after = {"unit": "money", "revision": 2}
    return data.entry("account.set-overdraft-cap", data.partner, data.partner, account, after=after)


async def partner_set_overdraft_cap(data: AuditData) -> Recorded:
    whose, by = data.partner, data.distributor
    await data.cast.row("update partner set allow_overdraft = true where id = %s returning id", whose.organisation_id)
    async with data.watched():
        for _ in range(2):
            await data.run(actions.set_of_partner, by, whose.organisation_id, NewCap(percent=10), NOW)
    after = {"percent": 10, "revision": 2}
    return data.entry("partner.set-overdraft-cap", by, whose, whose.organisation_id, after=after)


CASES: list[Case] = [
    account_set_overdraft_cap,
    account_set_overdraft_cap_to_none,
    account_set_overdraft_cap_in_money,
    partner_set_overdraft_cap,
]
