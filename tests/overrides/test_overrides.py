"""Timed overrides: what is refused, when they end, and that everybody concerned is reminded."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.cast import NOW, TB, Cast, with_role
from tests.unchanged import refused
from tonnage.access.actor import Actor, Role
from tonnage.accounts.account import AccountChange
from tonnage.accounts.account_queries import account_detail
from tonnage.accounts.actions import delete_account
from tonnage.accounts.change_actions import change_account
from tonnage.db import Connection
from tonnage.db.rendered import Versioned
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict, Forbidden, Invalid, NotFound, PreconditionFailed
from tonnage.overrides import actions
from tonnage.overrides.override import NewOverride
from tonnage.overrides.queries import override_of_account, overrides_of_account
from tonnage.partners import actions as partners
from tonnage.partners.partner import PartnerChange

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

TODAY = NOW.date()


@dataclass
class Customer:
    """An account of 1 TB of a partner with 10, under a contract of 20."""

    cast: Cast
    distributor: Actor
    partner: Actor
    account: int

    async def grant(self, capacity: int = 5 * TB, days: int = 10, *, now: datetime = NOW, **more: Any) -> Versioned:
        override = NewOverride(capacity, now.date() + timedelta(days=days), "Migration", more.pop("free", False))
        actor = more.pop("actor", self.partner)
        return await self.cast.database.run(
            actions.grant_to_account, actor, self.partner.organisation_id, self.account, override, now, **more
        )

    async def grant_partner(self, capacity: int = 15 * TB, days: int = 10, *, now: datetime = NOW) -> Versioned:
        override = NewOverride(capacity, now.date() + timedelta(days=days), "Season")
        return await self.cast.database.run(
            actions.grant_to_partner, self.distributor, self.partner.organisation_id, override, now
        )

    async def end(self, **more: Any) -> None:
        await self.cast.database.run(
            actions.end_of_account, self.partner, self.partner.organisation_id, self.account, NOW, **more
        )

    async def resize(self, allocated: int) -> None:
        await self.cast.database.run(
            change_account,
            self.partner,
            self.partner.organisation_id,
            self.account,
            AccountChange(allocated_capacity=allocated),
            NOW,
        )

    async def totals(self) -> tuple[Any, ...]:
        """What the accounts have for good, what overrides add to it, and what the contract has given."""
        return await self.cast.row(
            """select p.allocated_to_accounts, p.overrides_of_accounts, k.allocated_capacity
               from partner p join contract k on k.id = p.contract_id where p.id = %s""",
            self.partner.organisation_id,
        )

    async def entries(self, verb: str) -> list[Any]:
        (found,) = await self.cast.row(
            """select coalesce(jsonb_agg(jsonb_build_array(subject_id, after ->> 'until') order by id), '[]')
               from audit_entry where action like %s and organisation_id = %s""",
            f"%.{verb}",
            self.partner.organisation_id,
        )
        return found


@pytest.fixture
async def customer(cast: Cast) -> Customer:
    await cast.region()
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor, 20 * TB), 10 * TB)
    return Customer(cast, distributor, partner, await cast.account(partner, TB))


def midnight_after(days: int) -> datetime:
    return datetime(2026, 3, 15, tzinfo=UTC) + timedelta(days=days + 1)


async def test_what_is_refused(customer: Customer) -> None:
    database = customer.cast.database
    for days, said in ((-1, "must be today or later"), (91, "must be at most 90 days from today: 2026-06-13")):
        async with refused(database, Invalid, said):
            await customer.grant(days=days)
    async with refused(database, Invalid, "must be more than the allocation, 1 TB"):
        await customer.grant(TB)
    async with refused(database, Conflict, "the partner has 10 TB .* of its 10 TB .* left, 10 TB .*1 bytes") as full:
        await customer.grant(10 * TB + 1)
    assert full.value.code is ConflictCode.PARTNER_FULL
    async with refused(database, Conflict, "the contract has 20 TB .* left for this partner, 21 TB") as full:
        await customer.grant_partner(21 * TB)
    assert full.value.code is ConflictCode.CONTRACT_FULL
    async with refused(database, Forbidden):
        await customer.grant(actor=with_role(customer.partner, Role.VIEWER))
    stranger = await customer.cast.distributor()
    async with refused(database, NotFound):
        await customer.grant(actor=stranger)
    async with refused(database, PreconditionFailed):
        await customer.grant(revision=7)
    await customer.resize(0)
    async with refused(database, Conflict, "Pay-per-use has no allocation") as none:
        await customer.grant()
    assert none.value.code is ConflictCode.PAY_PER_USE


async def test_what_another_has_granted_meanwhile_is_neither_replaced_nor_ended(customer: Customer) -> None:
    database = customer.cast.database
    await customer.grant(expected="")
    async with refused(database, EditConflict):
        await customer.grant(6 * TB, expected="")
    async with refused(database, EditConflict):
        await customer.end(expected="")
    present = await database.run(
        override_of_account, customer.partner.organisation_id, customer.partner.organisation_id, customer.account
    )
    assert present is not None
    await customer.grant(6 * TB, expected=str(present.id))
    async with refused(database, EditConflict):
        await customer.end(expected=str(present.id))
    await customer.end()


async def test_an_override_takes_its_capacity_out_of_the_partner_and_survives_resizes(customer: Customer) -> None:
    await customer.grant(5 * TB)
    assert await customer.totals() == (TB, 4 * TB, 10 * TB)
    await customer.resize(3 * TB)
    assert await customer.totals() == (3 * TB, 2 * TB, 10 * TB)
    await customer.resize(7 * TB)
    assert await customer.totals() == (7 * TB, 0, 10 * TB)
    await customer.resize(2 * TB)
    assert await customer.totals() == (2 * TB, 3 * TB, 10 * TB)
    await customer.end()
    assert await customer.totals() == (2 * TB, 0, 10 * TB)


async def test_the_same_once_more_changes_nothing_and_another_one_ends_it(customer: Customer) -> None:
    first = await customer.grant()
    assert await customer.grant() == first
    second = await customer.grant(6 * TB)
    assert second.revision == first.revision + 1
    whose = customer.partner.organisation_id
    found = await customer.cast.row(
        "select array_agg(ended_at order by seq), array_agg(capacity order by seq) from capacity_override"
        " where account_id = %s",
        customer.account,
    )
    assert found == ([NOW, None], [5 * TB, 6 * TB])
    query = overrides_of_account(whose, whose, customer.account)

    async def listed(conn: Connection) -> int:
        return len(await (await conn.execute(query.text, {**query.params, "after": None, "limit": 9})).fetchall())

    assert await customer.cast.database.run(listed) == 2


async def test_it_ends_by_the_clock_and_its_capacity_is_free_when_the_job_has_run(customer: Customer) -> None:
    """The page follows the clock; what the parent holds is not sold again before the cluster enforces less."""
    await customer.grant(5 * TB, days=0)
    whose, database = customer.partner.organisation_id, customer.cast.database
    last = midnight_after(0) - timedelta(microseconds=1)
    detail = await database.run(account_detail, whose, whose, customer.account)
    assert detail is not None
    assert (detail.effective(last), detail.effective(midnight_after(0))) == (5 * TB, TB)
    assert await actions.end_due(database, last) == 0
    assert await customer.totals() == (TB, 4 * TB, 10 * TB)
    assert await actions.end_due(database, midnight_after(0)) == 1
    assert await customer.totals() == (TB, 0, 10 * TB)
    assert await actions.end_due(database, midnight_after(0)) == 0
    assert len(await customer.entries("end-override")) == 1


async def test_overrides_out_of_a_partners_own_end_with_it(customer: Customer) -> None:
    database = customer.cast.database
    await customer.grant_partner(15 * TB, days=1)
    assert (await customer.totals())[2] == 15 * TB
    async with refused(database, Conflict, "the partner has 9 TB .* of its 10 TB .* left, 12 TB"):
        await customer.cast.account(customer.partner, 12 * TB)
    await customer.grant(12 * TB, days=30)
    async with refused(database, Conflict, "taken out of this one") as overridden:
        await database.run(actions.end_of_partner, customer.distributor, customer.partner.organisation_id, NOW)
    assert overridden.value.code is ConflictCode.ACCOUNTS_OVERRIDDEN
    assert await actions.end_due(database, midnight_after(1)) >= 1
    assert await customer.totals() == (TB, 0, 10 * TB)
    assert [len(await customer.entries(verb)) for verb in ("grant-override", "end-override")] == [2, 2]


async def test_a_partner_is_not_resized_below_its_accounts_with_their_overrides(customer: Customer) -> None:
    await customer.grant(5 * TB)

    async def resize(allocated: int) -> None:
        await customer.cast.database.run(
            partners.update_partner,
            customer.distributor,
            customer.partner.organisation_id,
            PartnerChange(allocated_capacity=allocated),
            NOW,
        )

    async with refused(customer.cast.database, Conflict, "have 5 TB .* with their overrides, more than 4 TB"):
        await resize(4 * TB)
    await resize(5 * TB)


async def test_reminders_come_three_days_and_one_day_before_once_each(customer: Customer) -> None:
    database = customer.cast.database
    await customer.grant(days=9)
    last = str(TODAY + timedelta(days=9))
    reminded: list[int] = []
    for hours in range(0, 11 * 24, 6):
        now = NOW + timedelta(hours=hours)
        await actions.end_due(database, now)
        before = len(await customer.entries("override-ending"))
        await actions.remind(database, now)
        if len(await customer.entries("override-ending")) > before:
            reminded.append(hours)
    ends = midnight_after(9) - NOW
    assert [ends - timedelta(hours=hours) for hours in reminded] == [timedelta(days=3), timedelta(days=1)]
    assert await customer.entries("override-ending") == [[str(customer.account), last]] * 2


async def test_who_grants_for_two_days_is_reminded_once(customer: Customer) -> None:
    await customer.grant(days=1)
    for hours in range(0, 48, 3):
        await actions.remind(customer.cast.database, NOW + timedelta(hours=hours))
    assert len(await customer.entries("override-ending")) == 1


async def test_a_purged_account_and_a_closed_partner_have_none(customer: Customer) -> None:
    database, whose = customer.cast.database, customer.partner.organisation_id
    await customer.grant_partner(days=60)
    await customer.grant(days=60)
    await database.run(delete_account, customer.partner, whose, customer.account, 30, NOW)
    later = NOW + timedelta(days=30)
    await customer.cast.purge(later)
    assert await customer.totals() == (0, 0, 15 * TB)
    await database.run(partners.close_partner, customer.distributor, whose, later)
    assert (await customer.totals())[2] == 0
    found = await customer.cast.row(
        "select array_agg(ended_at) from capacity_override where %s in (partner_id::text) or account_id = %s",
        str(whose),
        customer.account,
    )
    assert found == ([later, later],)


def test_the_last_day_may_be_ninety_days_away() -> None:
    override = NewOverride(TB, date(2026, 6, 13), "A test")
    assert override.ends_at(NOW) == datetime(2026, 6, 14, tzinfo=UTC)
    with pytest.raises(Invalid):
        NewOverride(TB, date(2026, 6, 14), "A test").ends_at(NOW)


@pytest.mark.parametrize("of_partner", [False, True])
async def test_of_overrides_granted_at_once_one_runs(customer: Customer, of_partner: bool) -> None:
    """The second one sees the first and ends it."""
    sizes = [(15 if of_partner else 5) * TB + n for n in range(8)]
    await asyncio.gather(*(customer.grant_partner(size) if of_partner else customer.grant(size) for size in sizes))
    subject = customer.partner.organisation_id if of_partner else customer.account
    found = await customer.cast.row(
        "select count(*), count(*) filter (where ended_at is null), max(capacity) filter (where ended_at is null)"
        " from capacity_override where %s in (partner_id::text, account_id::text)",
        str(subject),
    )
    assert found[:2] == (8, 1)
    totals = await customer.totals()
    assert (totals[2] if of_partner else totals[1] + TB) == found[2]
