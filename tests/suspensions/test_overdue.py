"""The rule about overdue statements: warnings, the suspension, and its end when all of them are settled.

The statements were due on 17 March 2026, two weeks after they were frozen.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.cast import Cast
from tests.statements.inserted import insert_statement
from tests.suspensions.test_suspensions import waiting
from tonnage.access.actor import Actor
from tonnage.billing_profiles.settings import SellerSettings, read_settings
from tonnage.billing_profiles.settings_actions import set_settings
from tonnage.credit_notes.actions import create_credit_note, void_statement
from tonnage.credit_notes.new_credit_note import LineAmount
from tonnage.db import Connection
from tonnage.errors import Invalid, Sentence
from tonnage.numbering.actions import NumberStores
from tonnage.partners.partner_queries import partner_detail
from tonnage.statements.actions import pay
from tonnage.statements.frozen import Payment
from tonnage.suspensions import actions
from tonnage.suspensions.overdue_actions import apply_rules, resume_if_settled
from tonnage.suspensions.queries import suspension_of
from tonnage.suspensions.suspension import Cause
from tonnage.wording.catalogue import translations_of
from tonnage.wording.formatting import Formats
from tonnage.wording.translate import translate

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

DUE = date(2026, 3, 17)
ON = SellerSettings(suspend_overdue_days=30)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@dataclass
class Overdue:
    """A partner with a statement of a distributor whose rule is on since the day of its freeze."""

    cast: Cast
    distributor: Actor
    contract: UUID
    partner: Actor
    statement: UUID

    @property
    def id(self) -> UUID:
        return self.partner.organisation_id

    async def set(self, settings: SellerSettings, day: date) -> None:
        await self.cast.database.run(set_settings, self.distributor, settings, noon(day))

    async def another_statement(self, first: date = date(2026, 1, 1)) -> UUID:
        return await self.cast.database.run(insert_statement, self.distributor, self.partner, self.contract, first)

    async def day(self, days_overdue: int) -> list[tuple[str, Any]]:
        """The job runs on that day, twice; the entries of the partner that it makes."""
        (last,) = await self.cast.row("select coalesce(max(id), 0) from audit_entry")
        for _ in range(2):
            await apply_rules(self.cast.database, noon(DUE + timedelta(days=days_overdue)))
        return await self.entries(last)

    async def entries(self, last: int) -> list[tuple[str, Any]]:
        (found,) = await self.cast.row(
            """
            select coalesce(jsonb_agg(jsonb_build_array(
                action, coalesce(after ->> 'day', after ->> 'reason', after ->> 'cause')) order by id), '[]')
            from audit_entry where id > %s and subject_id = %s
            """,
            last,
            str(self.id),
        )
        return [(action, what) for action, what in found]

    async def days(self, *days: int) -> dict[int, list[tuple[str, Any]]]:
        found = {day: await self.day(day) for day in days}
        return {day: entries for day, entries in found.items() if entries}

    async def pay(self, statement: UUID) -> None:
        await self.cast.database.run(pay, self.distributor, statement, Payment(date(2026, 4, 20), "Line 4"))

    async def credit(self, lines: list[LineAmount] | None) -> None:
        """A credit note for these amounts; None: for all that is left."""

        async def credit(conn: Connection) -> None:
            await create_credit_note(
                conn,
                NumberStores(UUID(int=0), None, ()),
                self.distributor,
                self.statement,
                lines,
                "Goodwill",
                noon(LAST),
            )

        await self.cast.database.transaction(credit)

    async def cause(self) -> Cause | None:
        found = await self.cast.database.run(suspension_of, None, self.id)
        assert found is not None
        return found.cause


@pytest.fixture
async def data(cast: Cast) -> Overdue:
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract)
    statement = await cast.database.run(insert_statement, distributor, partner, contract)
    data = Overdue(cast, distributor, contract, partner, statement)
    await data.set(ON, date(2026, 3, 3))
    return data


def announced(day: date) -> list[tuple[str, str]]:
    return [("partner.warn-of-suspension", day.isoformat())]


SUSPENDED = "partner.suspend"
LAST = DUE + timedelta(days=30)


async def test_it_warns_three_times_and_suspends_on_the_announced_day(data: Overdue) -> None:
    found = await data.days(*range(-1, 40))
    (number,) = await data.cast.row("select number from statement where id = %s", data.statement)
    reason = f"Statement {number} is overdue since 2026-03-17"
    assert found == {
        23: announced(LAST),
        27: announced(LAST),
        29: announced(LAST),
        30: [(SUSPENDED, reason)],
    }
    suspension = await data.cast.database.run(suspension_of, None, data.id)
    assert suspension is not None
    assert (suspension.cause, suspension.statement_id) == (Cause.OVERDUE, data.statement)


async def test_without_the_rule_nothing_happens(data: Overdue) -> None:
    await data.set(SellerSettings(), date(2026, 3, 4))
    assert await data.days(10, 29, 30, 31, 300) == {}


async def test_switched_on_late_it_warns_first(data: Overdue) -> None:
    """The statement has been overdue for a year."""
    await data.set(SellerSettings(), date(2026, 3, 4))
    await data.set(ON, DUE + timedelta(days=365))
    found = await data.days(*range(365, 380))
    assert [(day, entries[0][0]) for day, entries in found.items()] == [
        (365, "partner.warn-of-suspension"),
        (369, "partner.warn-of-suspension"),
        (371, "partner.warn-of-suspension"),
        (372, SUSPENDED),
    ]


async def test_a_stricter_rule_warns_anew(data: Overdue) -> None:
    await data.days(23, 27, 29)
    await data.set(replace(ON, suspend_overdue_days=5), DUE + timedelta(days=29))
    found = await data.days(*range(29, 40))
    assert [(day, entries[0][0]) for day, entries in found.items()] == [
        (29, "partner.warn-of-suspension"),
        (33, "partner.warn-of-suspension"),
        (35, "partner.warn-of-suspension"),
        (36, SUSPENDED),
    ]


async def test_what_did_not_run_for_weeks_warns_before_it_suspends(data: Overdue) -> None:
    found = await data.days(60, 61, 62)
    assert found[60] == announced(DUE + timedelta(days=61))
    assert [action for action, _ in found[61]] == [SUSPENDED]
    assert 62 not in found


async def test_a_rule_of_one_day_still_warns(data: Overdue) -> None:
    await data.set(replace(ON, suspend_overdue_days=1, suspension_warning_days=(3,)), date(2026, 3, 3))
    found = await data.days(*range(-3, 6))
    assert found[1] == announced(DUE + timedelta(days=4))
    assert [day for day, entries in found.items() if entries[0][0] == SUSPENDED] == [4]


async def test_who_is_resumed_by_a_person_is_not_suspended_again_by_the_same_statement(data: Overdue) -> None:
    second = await data.another_statement()
    await data.days(23, 27, 29, 30)
    assert await data.cause() is Cause.OVERDUE
    await data.cast.database.run(actions.resume_partner, data.distributor, data.id)
    assert await data.days(31, 32, 60) == {}
    await data.pay(second)
    third = await data.another_statement(date(2025, 12, 1))
    await data.days(61, 62)
    found = await data.cast.database.run(suspension_of, None, data.id)
    assert found
    assert (found.cause, found.statement_id) == (Cause.OVERDUE, third)


async def test_a_person_that_resumed_before_the_day_begins_the_warnings_anew(data: Overdue) -> None:
    await data.days(23, 27, 29)
    run = data.cast.database.run
    await run(actions.suspend_partner, data.distributor, data.id, "By hand", noon(DUE))
    assert await data.days(30, 31) == {}
    await run(actions.resume_partner, data.distributor, data.id)
    found = await data.days(32, 33)
    assert [entries[0][0] for entries in found.values()] == ["partner.warn-of-suspension", SUSPENDED]


@pytest.mark.parametrize("settle", ["payment", "void", "credit", "two credits"])
async def test_settling_all_of_them_resumes(data: Overdue, settle: str) -> None:
    second = await data.another_statement()
    await data.days(23, 27, 29, 30)
    await data.pay(second)
    (job,) = await data.cast.row(
        "select count(*) from procrastinate_jobs where task_name = 'suspensions.resume_settled'"
        " and args->>'subject' = %s",
        str(data.id),
    )
    assert job == 1
    await resume_if_settled(data.cast.database, data.id, noon(LAST))
    assert await data.cause() is Cause.OVERDUE
    if settle == "payment":
        await data.pay(data.statement)
    elif settle == "credit":
        await data.credit(None)
    elif settle == "two credits":
        # What is left of the statement is still overdue.
        await data.credit([LineAmount(1, "10.00")])
        await resume_if_settled(data.cast.database, data.id, noon(LAST))
        assert await data.cause() is Cause.OVERDUE
        await data.credit(None)
    else:
        await data.cast.database.transaction(void_statement, data.distributor, data.statement, "Wrong", noon(LAST))
    (last,) = await data.cast.row("select max(id) from audit_entry")
    for _ in range(2):
        await resume_if_settled(data.cast.database, data.id, noon(LAST))
    assert await data.entries(last) == [("partner.resume", "settled")]
    assert await data.cause() is None


async def test_the_daily_job_resumes_too(data: Overdue) -> None:
    await data.days(23, 27, 29, 30)
    await data.pay(data.statement)
    assert await data.day(31) == [("partner.resume", "settled")]


async def test_a_payment_does_not_end_what_a_person_has_done(data: Overdue) -> None:
    await data.days(23, 27, 29, 30)
    await data.cast.database.run(actions.suspend_partner, data.distributor, data.id, "And more", noon(LAST))
    await data.pay(data.statement)
    await resume_if_settled(data.cast.database, data.id, noon(LAST))
    assert await data.cause() is Cause.PERSON


async def test_what_is_paid_at_the_same_moment_suspends_nobody_in_the_end(data: Overdue) -> None:
    await data.days(23, 27, 29)
    paid, entered = asyncio.Event(), asyncio.Event()

    async def pays(conn: Connection) -> None:
        await pay(conn, data.distributor, data.statement, Payment(date(2026, 4, 16), "Line 4"))
        entered.set()
        await paid.wait()

    paying = asyncio.create_task(data.cast.database.transaction(pays))
    await entered.wait()
    running = asyncio.create_task(apply_rules(data.cast.database, noon(LAST)))
    await waiting(data.cast)
    paid.set()
    await asyncio.gather(paying, running)
    assert await data.cause() is None


async def test_parts_are_read_one_after_the_other(data: Overdue) -> None:
    others = [await data.cast.partner(data.distributor, data.contract) for _ in range(3)]
    for other in others:
        await data.cast.database.run(insert_statement, data.distributor, other, data.contract)
    for day in (23, 27, 29, 30):
        await apply_rules(data.cast.database, noon(DUE + timedelta(days=day)), 1)
    (suspended,) = await data.cast.row(
        "select count(*) from partner where distributor_id = %s and suspension_cause = 'overdue'",
        data.distributor.organisation_id,
    )
    assert suspended == 4


async def test_a_run_that_stops_in_the_middle_loses_and_repeats_nothing(data: Overdue) -> None:
    """It is stopped while it waits for a row that another transaction holds."""
    others = [await data.cast.partner(data.distributor, data.contract) for _ in range(3)]
    for other in others:
        await data.cast.database.run(insert_statement, data.distributor, other, data.contract)
    for day in (23, 27, 29):
        await data.day(day)
    everybody = {str(data.id), *(str(one.organisation_id) for one in others)}
    held, done = asyncio.Event(), asyncio.Event()

    async def holds(conn: Connection) -> None:
        # The last in the order of the statements.
        await conn.execute(
            """select from partner where id = (
                select partner_id from statement where seller_id = %s order by id desc limit 1) for update""",
            [data.distributor.organisation_id],
        )
        held.set()
        await done.wait()

    async def suspended() -> int:
        (found,) = await data.cast.row(
            "select count(*) from partner where distributor_id = %s and suspended_at is not null",
            data.distributor.organisation_id,
        )
        return found

    holding = asyncio.create_task(data.cast.database.transaction(holds))
    await held.wait()
    running = asyncio.create_task(apply_rules(data.cast.database, noon(LAST), 1))
    await waiting(data.cast)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    done.set()
    await holding
    assert await suspended() == 3
    for _ in range(2):
        await apply_rules(data.cast.database, noon(LAST), 1)
    assert await suspended() == 4
    (entries, jobs) = await data.cast.row(
        """
        select (select array_agg(subject_id) from audit_entry
                where action = 'partner.suspend' and subject_id = any(%s)),
            (select array_agg(partner)
                from procrastinate_jobs, unnest(string_to_array(args->>'subject', ' ')) as partner
                where task_name = 'provisioning.reapply_partners' and partner = any(%s))
        """,
        sorted(everybody),
        sorted(everybody),
    )
    assert sorted(entries) == sorted(jobs) == sorted(everybody)


async def test_a_job_is_about_many_partners(data: Overdue) -> None:
    others = [await data.cast.partner(data.distributor, data.contract) for _ in range(2)]
    for other in others:
        await data.cast.database.run(insert_statement, data.distributor, other, data.contract)
    for day in (23, 27, 29, 30):
        await data.day(day)
    (subjects,) = await data.cast.row(
        "select array_agg(args->>'subject') from procrastinate_jobs"
        " where task_name = 'provisioning.reapply_partners' and args->>'subject' ~ %s",
        str(data.id),
    )
    assert [sorted(one.split()) for one in subjects] == [
        sorted([str(data.id), *(str(one.organisation_id) for one in others)])
    ]


async def test_the_reason_is_in_the_language_of_its_reader(data: Overdue) -> None:
    await data.days(23, 27, 29, 30)
    (number,) = await data.cast.row("select number from statement where id = %s", data.statement)
    found = await data.cast.database.run(partner_detail, None, data.id)
    assert found is not None
    reason = found.suspension_reason
    assert isinstance(reason, Sentence)
    assert reason == f"Statement {number} is overdue since 2026-03-17"
    formats = Formats("de_DE", "UTC")
    assert translate(reason, translations_of("en"), formats) == f"Statement {number} is overdue since 17.03.2026"
    # The words of a person are looked up in no catalogue.
    await data.cast.database.run(actions.suspend_partner, data.distributor, data.id, "Suspended {day}", noon(LAST))
    found = await data.cast.database.run(partner_detail, None, data.id)
    assert found is not None
    assert translate(found.suspension_reason or "", translations_of("en"), formats) == "Suspended {day}"


async def test_only_a_distributor_has_the_rule(data: Overdue) -> None:
    for actor in (data.partner, data.cast.operator):
        with pytest.raises(Invalid, match="suspendOverdueDays"):
            await data.cast.database.run(set_settings, actor, ON, noon(DUE))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("suspendOverdueDays", 366),
        ("suspendOverdueDays", -1),
        ("suspensionWarningDays", []),
        ("suspensionWarningDays", [0]),
        ("suspensionWarningDays", [61]),
        ("suspensionWarningDays", ["7"]),
        ("suspensionWarningDays", [1, 2, 3, 4, 5, 6]),
        ("suspensionWarningDays", 7),
    ],
)
def test_settings_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(Invalid) as error:
        read_settings({field: value})
    assert [one.field for one in error.value.fields] == [field]


def test_warnings_are_in_order() -> None:
    assert read_settings({"suspensionWarningDays": [1, 7, 3, 7]}).suspension_warning_days == (7, 3, 1)
