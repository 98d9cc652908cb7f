"""What accounts of a sandbox store: exactly the level on each day of a range, and exactly what held before outside."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import TypeAlias

import pytest

from tests.cast import TB
from tests.sandbox.sandboxes import Process, at
from tonnage.errors import Invalid, NotFound
from tonnage.storage.simulated_usage import simulated_bytes
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

pytestmark = pytest.mark.anyio

METERED, SIMULATED = "metered-1", "simulated-1"

Steps: TypeAlias = Callable[[Process, Sequence[int]], Awaitable[object]]
"""Sets levels of accounts that were created on 2026-11-01, and advances the clock to 2026-12-02."""


async def set_usage(sandbox: Process, accounts: Sequence[int], first: str, last: str, size: int) -> None:
    for account in accounts:
        await sandbox.set_usage(account, first, last, size)


async def before(sandbox: Process, accounts: Sequence[int]) -> None:
    await set_usage(sandbox, accounts, "2026-11-03", "2026-11-12", 2 * TB)
    await set_usage(sandbox, accounts, "2026-11-13", "2026-11-14", 5)
    await set_usage(sandbox, accounts, "2026-11-10", "2026-11-11", 7 * TB)
    await sandbox.advance("2026-12-02")


async def after(sandbox: Process, accounts: Sequence[int]) -> None:
    await sandbox.advance("2026-12-02")
    await set_usage(sandbox, accounts, "2026-11-03", "2026-11-12", 2 * TB)
    await set_usage(sandbox, accounts, "2026-11-13", "2026-11-14", 5)
    await set_usage(sandbox, accounts, "2026-11-10", "2026-11-11", 7 * TB)


async def on_the_way(sandbox: Process, accounts: Sequence[int]) -> None:
    await set_usage(sandbox, accounts, "2026-11-03", "2026-11-12", 2 * TB)
    await sandbox.advance("2026-11-11T12:00")
    await set_usage(sandbox, accounts, "2026-11-10", "2026-11-11", 7 * TB)
    await sandbox.advance("2026-11-14T23:59:59")
    await set_usage(sandbox, accounts, "2026-11-13", "2026-11-14", 5)
    await sandbox.advance("2026-12-02")


@pytest.mark.parametrize("steps", [before, after, on_the_way], ids=lambda steps: steps.__name__)
async def test_each_day_has_exactly_its_level(sandbox: Process, steps: Steps) -> None:
    partner = await sandbox.partner()
    accounts = {region: await sandbox.cast.account(partner, region=region) for region in (METERED, SIMULATED)}
    await steps(sandbox, tuple(accounts.values()))
    levels = dict.fromkeys(range(3, 13), 2 * TB) | {13: 5, 14: 5, 10: 7 * TB, 11: 7 * TB}
    set_days = {f"2026-11-{day:02}": size for day, size in levels.items()}
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(32)]
    for region, account in accounts.items():
        made = {str(day): simulated_bytes(account, day) if region == SIMULATED else 0 for day in days}
        # A simulated account is sampled from the day after its creation on.
        expected = made | {"2026-11-01": 0} | set_days
        assert await sandbox.used(partner, account, "2026-11-01", "2026-12-02") == expected


async def test_a_capacity_from_the_middle_of_a_month(sandbox: Process) -> None:
    partner = await sandbox.partner()
    account = await sandbox.cast.account(partner)
    await sandbox.advance("2026-11-20")
    assert await sandbox.set_usage(account, "2026-11-16", "2026-11-30", 2 * TB) == 5
    await sandbox.advance("2026-12-04")
    used = await sandbox.used(partner, account, "2026-11-01", "2026-12-04")
    assert set(list(used.values())[:15]) == {0}
    assert set(list(used.values())[15:30]) == {2 * TB}
    assert set(list(used.values())[30:]) == {0}


async def test_what_was_imported_goes_on_after_a_level(sandbox: Process) -> None:
    partner = await sandbox.partner()
    account = await sandbox.cast.account(partner)
    await sandbox.advance("2026-11-10")
    readings = [Sample(1, account, at("2026-11-04"), 3 * TB), Sample(2, account, at("2026-11-06T10:00"), 9 * TB)]
    await sandbox.services.database.transaction(record_samples, readings, sandbox.cast.now)
    await sandbox.set_usage(account, "2026-11-05", "2026-11-07", TB)
    await sandbox.set_usage(account, "2026-11-09", "2026-11-11", 2 * TB)
    await sandbox.advance("2026-11-13")
    assert list((await sandbox.used(partner, account, "2026-11-03", "2026-11-13")).values()) == [
        *(0, 3 * TB, TB, TB, TB),
        *(9 * TB, 2 * TB, 2 * TB, 2 * TB, 9 * TB, 9 * TB),
    ]


async def test_an_account_that_is_created_in_the_middle_of_a_day(sandbox: Process) -> None:
    """The level is the mean over the whole day, as always; before its creation it stores nothing."""
    await sandbox.advance("2026-11-05T18:00")
    partner = await sandbox.partner()
    account = await sandbox.cast.account(partner)
    await sandbox.set_usage(account, "2026-11-05", "2026-11-06", 4 * TB)
    assert await sandbox.cast.row("select min(sampled_at) from usage_sample") == (at("2026-11-05T18:00"),)
    await sandbox.advance("2026-11-08")
    used = await sandbox.used(partner, account, "2026-11-01", "2026-11-08")
    assert used == {"2026-11-05": TB, "2026-11-06": 4 * TB, "2026-11-07": 0, "2026-11-08": 0}


async def test_what_is_refused(sandbox: Process) -> None:
    await sandbox.advance("2026-11-03")
    partner = await sandbox.partner()
    account = await sandbox.cast.account(partner)
    for first, last, field in (
        ("2026-11-02", "2026-11-05", "from"),
        ("2026-11-05", "2026-11-04", "to"),
        ("2026-11-05", "2200-01-01", "to"),
    ):
        with pytest.raises(Invalid) as refused:
            await sandbox.set_usage(account, first, last, TB)
        assert refused.value.fields[0].field == field
    with pytest.raises(NotFound):
        await sandbox.set_usage(1, "2026-11-05", "2026-11-06", TB)
    await sandbox.advance("2026-12-14")
    with pytest.raises(Invalid, match=r"from: must be 2026-11-04 or later.*tonnage usage correct"):
        await sandbox.set_usage(account, "2026-11-03", "2026-11-06", TB)
    assert await sandbox.set_usage(account, "2026-11-04", "2026-11-04", TB) == 1
    (count,) = await sandbox.cast.row("select count(*) from usage_level")
    assert count == 1


async def test_the_simulated_region_makes_the_same_usage_every_time() -> None:
    days = [date(2024, 2, 27) + timedelta(days=n) for n in range(800)]
    made = [simulated_bytes(482915730164, day) for day in days]
    assert made == [simulated_bytes(482915730164, day) for day in days]
    assert made != [simulated_bytes(482915730165, day) for day in days]
    assert 10**10 < min(made) < max(made) < 10**13
