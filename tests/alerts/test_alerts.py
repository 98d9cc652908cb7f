"""Alert levels: crossed once, armed again five points below."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import pytest

from tests.cast import NOW, TB, Cast
from tests.roles import run_as_owner, url_of
from tests.usage.steps import at
from tonnage.access.actor import Actor, Role
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.accounts.actions import delete_account
from tonnage.alerts import actions
from tonnage.alerts.alert_level import require_levels
from tonnage.alerts.queries import levels_of
from tonnage.db import connect
from tonnage.errors import Forbidden, Invalid
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange
from tonnage.usage.actions import import_samples

GB = 10**9
pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


@dataclass
class Customer:
    """An account of 1 TB of a partner with 10, under a contract of 20."""

    cast: Cast
    distributor: Actor
    partner: Actor
    account: int

    async def uses(self, gigabytes: int, account: int | None = None) -> list[tuple[str, int | None]]:
        """Sets the use, evaluates, and returns the new entries: action and level."""
        await self.store(gigabytes, account)
        return await self.evaluated()

    async def store(self, gigabytes: int, account: int | None = None) -> None:
        # What writes the totals are samples; here they are set as those would.
        await asyncio.to_thread(
            run_as_owner,
            url_of(self.cast.database),
            f"update account_usage set used = {gigabytes * GB} where account_id = {account or self.account}",
            f"""update partner set used = (select sum(used) from account_usage where partner_id = partner.id)
                where id = '{self.partner.organisation_id}'""",
            "update contract k set used = (select sum(used) from partner p where p.contract_id = k.id)",
        )

    async def evaluated(self) -> list[tuple[str, int | None]]:
        (last,) = await self.cast.row("select max(id) from audit_entry")
        await actions.evaluate(self.cast.database, NOW)
        (found,) = await self.cast.row(
            """select coalesce(jsonb_agg(jsonb_build_array(action, after -> 'level') order by id), '[]')
               from audit_entry where id > %s and action ~ '(reach|leave|exceed)(-cap)?(-level)?$'""",
            last,
        )
        return [(action, level) for action, level in found]


@pytest.fixture
async def customer(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Customer]:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            await cast.region()
            distributor = await cast.distributor()
            contract = await cast.contract(distributor, 20 * TB)
            partner = await cast.partner(distributor, contract, 10 * TB)
            yield Customer(cast, distributor, partner, await cast.account(partner, TB))


async def test_once_on_crossing_upward_and_armed_again_five_points_below(customer: Customer) -> None:
    assert await customer.uses(499) == []
    assert await customer.uses(500) == [("account.reach-level", 50)]
    assert await customer.uses(520) == []
    assert await customer.uses(450) == []
    assert await customer.uses(500) == []
    assert await customer.uses(449) == [("account.leave-level", None)]
    assert await customer.uses(510) == [("account.reach-level", 50)]
    assert await customer.uses(800) == [("account.reach-level", 80)]
    assert await customer.uses(749) == [("account.leave-level", 50)]
    assert await customer.uses(1000) == [("account.exceed", 100)]


async def test_of_several_levels_at_once_the_highest_is_said(customer: Customer) -> None:
    assert await customer.uses(960) == [("account.reach-level", 90)]
    assert await customer.uses(0) == [("account.leave-level", None)]
    (rows,) = await customer.cast.row("select count(*) from alert")
    assert rows == 0


async def test_partners_and_contracts_have_levels_too(customer: Customer) -> None:
    cast, partner = customer.cast, customer.partner
    await customer.cast.database.run(
        update_partner, customer.distributor, partner.organisation_id, PartnerChange(allow_overdraft=True), NOW
    )
    elastic = await cast.account(partner)
    assert await customer.uses(5_100, elastic) == [("partner.reach-level", 50)]
    assert await customer.uses(10_000, elastic) == [("partner.exceed", 100), ("contract.reach-level", 50)]
    assert await customer.uses(20_001, elastic) == [("contract.exceed", 100)]
    assert await customer.uses(0, elastic) == [("partner.leave-level", None), ("contract.leave-level", None)]


async def test_pay_per_use_has_no_levels_and_a_resize_crosses_them(customer: Customer) -> None:
    async def resize(size: int) -> list[tuple[str, int | None]]:
        change = AccountChange(allocated_capacity=size)
        whose = customer.partner.organisation_id
        await customer.cast.database.transaction(
            change_actions.change_account, customer.partner, whose, customer.account, change, NOW
        )
        return await customer.evaluated()

    await customer.uses(900)
    assert await resize(0) == [("account.leave-level", None)]
    assert await resize(TB // 2) == [("account.exceed", 100)]
    assert await resize(3 * TB) == [("account.leave-level", None)]


@pytest.mark.parametrize("allocated", [0, TB])
async def test_the_largest_use_is_compared_too(customer: Customer, allocated: int) -> None:
    account = await customer.cast.account(customer.partner, allocated)
    found = await customer.uses(2**63 // GB - 1, account)
    assert ("account.exceed", 100) in found or not allocated


async def test_two_evaluations_at_once_say_it_once(customer: Customer) -> None:
    accounts = [await customer.cast.account(customer.partner, GB) for _ in range(20)]
    for account in accounts:
        await customer.store(1, account)
    (last,) = await customer.cast.row("select max(id) from audit_entry")
    await asyncio.gather(*(actions.evaluate(customer.cast.database, NOW) for _ in range(6)))
    (said, subjects) = await customer.cast.row(
        "select count(*), count(distinct subject_id) from audit_entry where id > %s and action = 'account.exceed'", last
    )
    assert (said, subjects) == (20, 20)


async def test_levels_are_those_of_the_nearest_that_has_set_some(customer: Customer) -> None:
    cast, run = customer.cast, customer.cast.database.transaction

    async def levels(actor: Actor) -> tuple[list[int], bool]:
        found = await cast.database.run(levels_of, actor.organisation_id)
        return found.levels, found.own

    assert await levels(customer.partner) == ([50, 80, 90, 100], False)
    await run(actions.set_levels, cast.operator, [75])
    assert await levels(customer.partner) == ([75], False)
    await run(actions.set_levels, customer.distributor, [60, 95])
    assert await levels(customer.partner) == ([60, 95], False)
    assert await customer.uses(700) == [("account.reach-level", 60)]
    await run(actions.set_levels, customer.partner, [30, 65, 70])
    assert await levels(customer.partner) == ([30, 65, 70], True)
    assert await customer.evaluated() == [("account.reach-level", 70)]
    assert await customer.evaluated() == []
    await run(actions.inherit_levels, customer.partner)
    assert await levels(customer.partner) == ([60, 95], False)
    assert await levels(cast.operator) == ([75], True)


@pytest.mark.parametrize("levels", [[], [10, 20, 30, 40, 50, 60], [0], [201], [80, 50], [50, 50], [-1, 50]], ids=str)
async def test_levels_that_make_no_sense_are_refused(levels: list[int]) -> None:
    with pytest.raises(Invalid):
        require_levels(levels)


async def test_only_admins_set_levels(customer: Customer) -> None:
    with pytest.raises(Forbidden):
        await customer.cast.database.transaction(actions.set_levels, replace(customer.partner, role=Role.STAFF), [50])


async def test_samples_that_are_recorded_evaluate(customer: Customer) -> None:
    """By the job that the import defers."""
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    lines = [f"{customer.account:012},{hour:%Y-%m-%dT%H:%M:%SZ},{900 * GB}\n".encode()]
    await import_samples(customer.cast.database, customer.cast.operator, lambda: lines, NOW)
    (deferred,) = await customer.cast.row(
        "select count(*) from procrastinate_jobs where task_name = 'alerts.evaluate' and status = 'todo'"
    )
    assert deferred == 1
    assert await customer.evaluated() == [("account.reach-level", 90)]


async def test_alerts_of_what_is_gone_are_deleted(customer: Customer) -> None:
    await customer.uses(900)
    whose = customer.partner.organisation_id
    await customer.cast.database.transaction(delete_account, customer.partner, whose, customer.account, 30, NOW)
    await customer.cast.purge(at("2026-06-01"))
    await customer.evaluated()
    (rows,) = await customer.cast.row("select count(*) from alert")
    assert rows == 0
