"""Recording samples: refusals, and the changes by accepted ones."""

from datetime import date, datetime, timedelta

import pytest

from tests.cast import Cast
from tests.unchanged import refused
from tests.usage.steps import (
    LATER,
    OPENED,
    assert_totals,
    at,
    import_lines,
    numbered,
    partner_data,
    purge,
    record,
    rows_of,
)
from tonnage.accounts import actions as accounts
from tonnage.db import Connection
from tonnage.errors import Forbidden, Invalid
from tonnage.usage import actions
from tonnage.usage.actions import RecordedSamples
from tonnage.usage.sample import MOST_BAD_LINES, BadLine, Sample

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]


async def used(cast: Cast, account: int) -> int:
    return (await cast.row("select used from account_usage where account_id = %s", account))[0]


async def test_a_day_is_the_mean_of_the_whole_day_rounded_half_up(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    recorded = await record(
        cast,
        (account, at("2026-01-05", "09:00:00"), 240),  # before the account was created at 10:30, but on that day
        (account, at("2026-01-05", "22:30:00"), 480),
        (account, at("2026-01-06"), 10),
        (account, at("2026-01-06", "01:00:00"), 10),
        (account, at("2026-01-06", "12:00:00"), 11),
        (account, at("2026-01-07", "12:00:00"), 12),
        (account, at("2026-01-08"), 2**63 - 1),
        (account, at("2026-01-08", "12:00:00"), 2**63 - 2),
    )
    assert recorded == RecordedSamples(changed=8, accounts=1, days=4)
    assert await rows_of(cast, account) == [
        (date(2026, 1, 5), 12 * 10 + 480 * 3 // 48, 480, 2),
        (date(2026, 1, 6), 11, 11, 3),  # 10.5
        (date(2026, 1, 7), 12, 12, 1),  # 11.5
        (date(2026, 1, 8), 2**63 - 1, 2**63 - 2, 2),
    ]
    assert await used(cast, account) == 2**63 - 2
    await assert_totals(cast, data.contract)


async def test_a_mean_just_below_half_is_not_rounded_twice(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    # The mean ends in .4999999999884; numeric division of numbers this large keeps four decimals of it.
    base = 123_456_789_012_345
    until = at("2026-01-06", "12:00:00") - timedelta(microseconds=1)
    await record(cast, (account, at("2026-01-06"), base + 1), (account, until, base))
    assert (await rows_of(cast, account))[1] == (date(2026, 1, 6), base, base, 2)
    await record(cast, (account, until, base + 1), (account, until + timedelta(microseconds=1), base))
    assert (await rows_of(cast, account))[1] == (date(2026, 1, 6), base + 1, base, 3)


async def test_days_without_samples_are_carried_and_the_first_ones_are_zero(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-07"), 30), (account, at("2026-01-07", "12:00:00"), 50))
    await record(cast, (account, at("2026-01-10"), 7))
    assert await rows_of(cast, account) == [
        (date(2026, 1, 5), 0, 0, 0),
        (date(2026, 1, 6), 0, 0, 0),
        (date(2026, 1, 7), 40, 50, 2),
        (date(2026, 1, 8), 50, 50, 0),
        (date(2026, 1, 9), 50, 50, 0),
        (date(2026, 1, 10), 7, 7, 1),
    ]
    assert await used(cast, account) == 7


async def test_a_late_sample_changes_its_day_and_what_was_carried_from_it(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-05"), 1), (account, at("2026-01-08"), 8), (account, at("2026-01-10"), 10))
    await record(cast, (account, at("2026-01-06"), 60))
    assert [row[1] for row in await rows_of(cast, account)] == [1, 60, 60, 8, 8, 10]
    await record(cast, (account, at("2026-01-08", "06:00:00"), 20))
    assert [row[1:3] for row in await rows_of(cast, account)][3:] == [(17, 20), (20, 20), (10, 10)]
    assert await used(cast, account) == 10
    await record(cast, (account, at("2026-01-10", "12:00:00"), 100))
    assert await used(cast, account) == 100
    await assert_totals(cast, data.contract)


async def test_a_late_sample_changes_the_morning_of_the_next_day_with_samples_and_no_later_one(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    noon = "12:00:00"
    await record(cast, *[(account, at(f"2026-01-{day:02}", noon), 10) for day in (6, 8, 9, 10)])
    await record(cast, (account, at("2026-01-06", "18:00:00"), 30))
    assert [row[1:3] for row in await rows_of(cast, account)] == [
        (0, 0),
        (10, 30),  # a quarter of 10, a quarter of 30
        (30, 30),
        (20, 10),
        (10, 10),
        (10, 10),
    ]


async def test_the_same_again_changes_nothing_and_another_value_replaces(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    lines = [f"{account},2026-01-05T12:00:00Z,5", f"{account},2026-01-05T14:00:00+02:00,5", f"{account},2026-01-06,6"]
    assert await import_lines(cast, *lines) == RecordedSamples(changed=2, accounts=1, days=2)
    before = await rows_of(cast, account)
    assert await import_lines(cast, *lines) == RecordedSamples(changed=0, accounts=0, days=0)
    assert await rows_of(cast, account) == before
    assert await import_lines(cast, f"{account},2026-01-05T12:00:00Z,9") == RecordedSamples(1, 1, 1)
    assert [row[1] for row in await rows_of(cast, account)] == [5, 6]
    await assert_totals(cast, data.contract)


async def test_objects_are_those_of_the_latest_measurement_and_imports_know_none(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)

    async def measure(hour: datetime, size: int, objects: int, now: datetime) -> None:
        sample = Sample(1, account, hour, size, objects)
        await cast.database.transaction(actions.record_samples, [sample], now)

    nine, ten = at("2026-01-06", "09:00:00"), at("2026-01-06", "10:00:00")
    await measure(nine, 500, 5, nine)
    await measure(ten, 600, 6, ten + timedelta(minutes=2))
    # A measurement that ends late must not replace a newer one.
    await measure(nine, 500, 7, ten + timedelta(minutes=1))
    query = "select objects, measured_at from account_usage where account_id = %s"
    assert await cast.row(query, account) == (6, ten + timedelta(minutes=2))
    objects = "select array_agg(objects order by sampled_at) from usage_sample where account_id = %s"
    assert await cast.row(objects, account) == ([7, 6],)
    assert await record(cast, (account, nine, 500), (account, ten, 601)) == RecordedSamples(1, 1, 1)
    assert await cast.row(objects, account) == ([7, None],)
    assert await cast.row(query, account) == (6, ten + timedelta(minutes=2))


async def test_a_purged_account_has_no_usage_after_late_samples(cast: Cast) -> None:
    data = await partner_data(cast)
    account, other = await cast.account(data.partner), await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 5), (other, at("2026-01-06"), 7))
    await purge(cast, data.partner, account, at("2026-01-09", "08:00:00"))
    await record(cast, (account, at("2026-01-09", "12:00:00"), 100))
    assert [row[1] for row in await rows_of(cast, account)] == [0, 5, 5, 5, 2]
    assert await used(cast, account) == 0
    assert await cast.row("select used from contract where id = %s", data.contract) == (7,)
    await assert_totals(cast, data.contract)


async def test_a_purge_asks_for_the_last_days_of_its_account(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2026-01-06"), 48))
    when = at("2026-01-09", "12:00:00")
    await cast.database.run(
        accounts.delete_account, data.partner, data.partner.organisation_id, account, 1, when - timedelta(days=1)
    )
    assert await cast.purge(when) >= 1
    name = await cast.row("select task_name from procrastinate_jobs where args ->> 'subject' = %s", str(account))
    assert name == ("usage.finish_days",)
    before = await rows_of(cast, account)
    await cast.database.transaction(actions.finish_days, account)
    assert await rows_of(cast, account) == [
        *before,
        (date(2026, 1, 7), 48, 48, 0),
        (date(2026, 1, 8), 48, 48, 0),
        (date(2026, 1, 9), 24, 48, 0),
    ]
    await assert_totals(cast, data.contract)
    await cast.database.transaction(actions.finish_days, account)
    assert await cast.row("select rolled_up_to from account_usage where account_id = %s", account) == (
        date(2026, 1, 9),
    )


async def test_every_wrong_line_is_reported_in_order_and_nothing_is_applied(cast: Cast) -> None:
    data = await partner_data(cast)
    account, gone = await cast.account(data.partner), await cast.account(data.partner)
    await purge(cast, data.partner, gone, at("2026-02-01", "08:00:00"))
    async with refused(cast.database, Invalid) as refusal:
        await import_lines(
            cast,
            "account,time,bytes",
            f"{account},2026-01-06,1",
            "000000000007,2026-01-06,1",
            f"{account},2026-01-04T23:59:59Z,1",
            f"{account},yesterday,1",
            f"{gone},2026-02-02,1",
            f"{account},2026-03-15T12:05:01Z,1",
            f"{account},2026-01-06T01:00:00+01:00,2",
        )
    assert [(field.field, field.message) for field in refusal.value.fields] == [
        ("line 3", "there is no storage account 000000000007"),
        ("line 4", "the day is before the account was created on 2026-01-05"),
        ("line 5", "the time must be written 2026-01-31T12:00:00Z, or 2026-01-31 for midnight UTC"),
        ("line 6", "the account was deleted on 2026-02-01"),
        ("line 7", "the time is in the future"),
        ("line 8", "the value differs from line 2 for the same account and time"),
    ]
    assert str(refusal.value) == (
        "Nothing was recorded, because 6 lines are wrong. The first is line 3: there is no storage account "
        "000000000007."
    )
    assert await rows_of(cast, account) == []
    assert await cast.row("select count(*) from usage_sample where account_id in (%s, %s)", account, gone) == (0,)


async def test_at_most_twenty_lines_are_reported(cast: Cast) -> None:
    async with refused(
        cast.database, Invalid, "20 lines or more are wrong. The first is line 1: there is no storage"
    ) as refusal:
        await import_lines(cast, *(["100000000000,2026-01-06,1", "x"] * 30))
    assert [field.field for field in refusal.value.fields] == [f"line {n}" for n in range(1, MOST_BAD_LINES + 1)]
    async with refused(cast.database, Invalid, r"because a line is wrong \(line 1: there must be three columns"):
        await import_lines(cast, "x")


async def test_five_minutes_ahead_is_a_clock_that_differs(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    await record(cast, (account, LATER + timedelta(minutes=5), 5))
    assert await used(cast, account) == 5


async def test_an_import_is_for_the_operator_and_on_record(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)
    async with refused(cast.database, Forbidden):
        await actions.import_samples(cast.database, data.distributor, list, LATER)
    await import_lines(cast, f"{account},2026-01-06,6")
    entry = await cast.row(
        "select actor_kind, organisation_id, after from audit_entry where action = 'usage.import'"
        " order by id desc limit 1"
    )
    assert entry == ("cli", cast.operator.organisation_id, {"samples": 1, "accounts": 1})


async def test_an_empty_file_is_no_error(cast: Cast) -> None:
    assert await import_lines(cast) == RecordedSamples(0, 0, 0)
    assert await import_lines(cast, "account,time,bytes") == RecordedSamples(0, 0, 0)


async def test_samples_can_be_recorded_twice_in_a_transaction(cast: Cast) -> None:
    data = await partner_data(cast)
    account = await cast.account(data.partner)

    async def twice(conn: Connection) -> RecordedSamples:
        await actions.record_samples(conn, numbered([(account, at("2026-01-06"), 1)]), LATER)
        return await actions.record_samples(conn, numbered([(account, at("2026-01-07"), 2)]), LATER)

    assert await cast.database.transaction(twice) == RecordedSamples(1, 1, 1)
    assert [row[1] for row in await rows_of(cast, account)] == [0, 1, 2]


async def test_lines_that_were_misread_are_refused_with_the_others(cast: Cast) -> None:
    async with refused(cast.database, Invalid, "line 4: it is torn"):
        await cast.database.transaction(actions.record_samples, [], LATER, [BadLine(4, "it is torn")])


async def test_old_months_get_their_partitions(cast: Cast) -> None:
    data = await partner_data(cast)
    cast.now = OPENED.replace(year=2019)
    account = await cast.account(data.partner)
    await record(cast, (account, at("2019-03-01"), 4))
    await record(cast, (account, at("2020-12-31"), 5))
    rows = await rows_of(cast, account)
    assert len(rows) == (date(2020, 12, 31) - date(2019, 1, 5)).days + 1
    assert rows[-2:] == [(date(2020, 12, 30), 4, 4, 0), (date(2020, 12, 31), 5, 5, 1)]
