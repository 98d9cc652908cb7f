"""Alerts of caps: use beyond the allocation, compared with what the cap allows."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.alerts.test_alerts import Customer, customer
from tests.cast import NOW, TB
from tonnage.accounts import change_actions
from tonnage.accounts.account import AccountChange
from tonnage.accounts.extended_queries import extended_account
from tonnage.alerts.lists import alert_rows
from tonnage.overdraft_caps import actions
from tonnage.overdraft_caps.overdraft_cap import NewCap
from tonnage.partners.actions import update_partner
from tonnage.partners.partner import PartnerChange

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

__all__ = ["customer"]


@pytest.fixture
async def capped(customer: Customer) -> Customer:
    """The account of 1 TB has overdraft, with a cap of 1 TB more."""
    change = AccountChange(allow_overdraft=True)
    whose, run = customer.partner.organisation_id, customer.cast.database
    await run.transaction(change_actions.change_account, customer.partner, whose, customer.account, change, NOW)
    await cap(customer, NewCap(percent=100))
    assert await customer.uses(1000) == [("account.exceed", 100)]
    return customer


async def cap(customer: Customer, new: NewCap | None) -> None:
    run = customer.cast.database.run
    if new is None:
        await run(actions.remove_of_account, customer.partner, customer.account)
    else:
        await run(actions.set_of_account, customer.partner, customer.account, new, NOW)


async def test_what_is_used_beyond_the_allocation_crosses_the_levels_of_the_cap(capped: Customer) -> None:
    assert await capped.uses(1499) == []
    assert await capped.uses(1500) == [("account.reach-cap-level", 50)]
    assert await capped.uses(1460) == []
    assert await capped.uses(1440) == [("account.leave-cap-level", None)]
    assert await capped.uses(1900) == [("account.reach-cap-level", 90)]
    assert await capped.uses(2000) == [("account.exceed-cap", 100)]
    assert await capped.uses(100) == [("account.leave-level", None), ("account.leave-cap-level", None)]


async def test_both_are_listed(capped: Customer) -> None:
    await cap(capped, NewCap(capacity=4 * TB))
    await capped.uses(3200)
    rows = await capped.cast.database.run(alert_rows, capped.partner.organisation_id, None, 10)
    assert {(row.of_cap, row.level, row.used, row.capacity) for row in rows if row.subject == "account"} == {
        (False, 100, TB, TB),
        (True, 50, 2_200_000_000_000, 4 * TB),
    }


async def test_an_account_is_warned_by_its_allocation_alone(customer: Customer) -> None:
    pay_per_use = await customer.cast.account(customer.partner)
    await customer.cast.database.run(actions.set_of_account, customer.partner, pay_per_use, NewCap(capacity=TB), NOW)
    assert ("account.reach-cap-level", 80) in await customer.uses(850, pay_per_use)
    whose = customer.partner.organisation_id
    account = await customer.cast.database.run(extended_account, whose, whose, pay_per_use)
    assert account is not None
    assert json.loads(account.json)["state"] == {"name": "normal"}


async def test_a_cap_that_is_removed_or_has_no_effect_has_no_alerts(capped: Customer) -> None:
    await capped.uses(1600)
    await cap(capped, None)
    assert await capped.evaluated() == []
    assert await alerts_of_caps(capped) == 0
    await cap(capped, NewCap(percent=100))
    assert await capped.evaluated() == [("account.reach-cap-level", 50)]
    whose = capped.partner.organisation_id
    change = AccountChange(allow_overdraft=False)
    await capped.cast.database.transaction(
        change_actions.change_account, capped.partner, whose, capped.account, change, NOW
    )
    assert await capped.evaluated() == [("account.leave-cap-level", None)]
    assert await alerts_of_caps(capped) == 0


async def alerts_of_caps(customer: Customer) -> int:
    (found,) = await customer.cast.row("select count(*) from alert where of_cap")
    return found


async def test_money_that_is_used_up_is_a_cap_that_is_reached(capped: Customer) -> None:
    """It allows nothing more; 0 bytes are no overdraft, of which nobody need be alerted."""
    await capped.cast.price(capped.partner, "10", NOW)
    await cap(capped, NewCap(amount=Decimal(100)))
    await capped.cast.row("update storage_account set overdraft_cap = 0 where id = %s returning id", capped.account)
    assert await capped.evaluated() == [("account.exceed-cap", 100)]
    await cap(capped, NewCap(capacity=0))
    assert await capped.evaluated() == [("account.leave-cap-level", None)]


async def test_a_partner_is_alerted_of_its_cap(customer: Customer) -> None:
    whose, run = customer.partner.organisation_id, customer.cast.database.run
    await run(update_partner, customer.distributor, whose, PartnerChange(allow_overdraft=True), NOW)
    await run(actions.set_of_partner, customer.distributor, whose, NewCap(percent=50), NOW)
    elastic = await customer.cast.account(customer.partner)
    assert await customer.uses(14_000, elastic) == [
        ("partner.exceed", 100),
        ("contract.reach-level", 50),
        ("partner.reach-cap-level", 80),
    ]
    assert await customer.uses(15_000, elastic) == [("partner.exceed-cap", 100)]


def test_whoever_reads_alerts_says_of_which_capacity() -> None:
    """Both kinds stand in one table: who forgets that takes a level of the cap for one of the allocation."""
    reading = re.compile(r"(?:from|join) alert\b(?P<rest>[^;]{0,200})")
    src = Path(__file__).parents[2] / "src/tonnage"
    bare = [
        f"{path.relative_to(src)}: alert{match['rest'][:60]}"
        for path in src.rglob("*.py")
        if path.parent.name != "alerts"
        for match in reading.finditer(path.read_text())
        if "of_cap" not in match["rest"] and "contract_id" not in match["rest"]
    ]
    assert bare == []
