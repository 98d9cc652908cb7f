"""How far a freeze has come: reported, and shown while it goes on."""

import asyncio
from datetime import timedelta

import pytest

from tests.api.conftest import AppClient
from tests.statements.months import APRIL, MARCH, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call
from tonnage.db import Connection
from tonnage.month_end.freeze_progress import FreezeProgress, FreezeStage
from tonnage.month_end.freeze_progress_actions import storing_progress
from tonnage.month_end.freezing_actions import freeze
from tonnage.month_end.freezing_queries import begin_close, end_close, progress_of, store_progress

pytestmark = pytest.mark.anyio

HALF = FreezeProgress(FreezeStage.COMPUTE, 45_000, 90_000)


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


async def test_each_step_is_reported(data: Sellers) -> None:
    steps: list[FreezeProgress] = []
    await freeze(data.services, data.distributor, MARCH, APRIL, report=steps.append)
    assert steps == [FreezeProgress(stage, 0, 1) for stage in (FreezeStage.COMPUTE, FreezeStage.CHECK)]


async def test_progress_is_shown_while_the_month_is_being_frozen(client: AppClient, data: Sellers) -> None:
    run, seller, now = data.cast.database.run, data.distributor.organisation_id, data.services.wall_clock()
    ann = await client.sign_in(data.distributor)
    await run(begin_close, seller, MARCH)
    async with (
        storing_progress(data.cast.database, data.services.wall_clock, seller, MARCH, None, period=0) as report,
        asyncio.timeout(30),
    ):
        report(HALF)
        while await run(progress_of, seller, MARCH, now) is None:
            pass
    month = (await call(client, data.distributor, "GET", "months/2026-03")).json()
    assert month["progress"] == {"stage": "compute", "done": 45_000, "total": 90_000}
    shown = "The month is being frozen: 45,000 of 90,000 statements are computed."
    assert shown in (await ann.get("/statements/months/2026-03")).text
    assert "progress" not in (await call(client, data.partner, "GET", "months/2026-03")).json()

    await run(end_close, seller, MARCH)
    assert "progress" not in (await call(client, data.distributor, "GET", "months/2026-03")).json()
    assert "being frozen" not in (await ann.get("/statements/months/2026-03")).text


async def test_what_is_stored_late_is_not_shown(data: Sellers) -> None:
    run, seller, now = data.cast.database.run, data.distributor.organisation_id, data.services.wall_clock()
    await freeze(data.services, data.distributor, MARCH, APRIL)
    await run(store_progress, seller, MARCH, HALF, now)
    assert await run(progress_of, seller, MARCH, now) is None


async def test_a_new_freeze_begins_anew(data: Sellers) -> None:
    """One that was killed leaves what it had stored."""
    run, seller, now = data.cast.database.run, data.distributor.organisation_id, data.services.wall_clock()
    await run(begin_close, seller, MARCH)
    await run(store_progress, seller, MARCH, HALF, now)
    await run(begin_close, seller, MARCH)
    assert await run(progress_of, seller, MARCH, now) is None


async def test_a_freeze_that_was_killed_is_not_shown(data: Sellers) -> None:
    run, seller, now = data.cast.database.run, data.distributor.organisation_id, data.services.wall_clock()
    await run(begin_close, seller, MARCH)
    await run(store_progress, seller, MARCH, HALF, now)
    assert await run(progress_of, seller, MARCH, now) == HALF
    assert await run(progress_of, seller, MARCH, now + timedelta(minutes=1)) is None


async def test_after_an_end_by_an_older_program(data: Sellers) -> None:
    """A freeze was cancelled, which closes its connection; a program that knows nothing of progress ends the next."""
    run, seller, now = data.cast.database.run, data.distributor.organisation_id, data.services.wall_clock()

    def cancel(step: FreezeProgress) -> None:
        freezing.cancel()

    freezing = asyncio.ensure_future(freeze(data.services, data.distributor, MARCH, APRIL, report=cancel))
    with pytest.raises(asyncio.CancelledError):
        await freezing
    await run(store_progress, seller, MARCH, HALF, now)

    async def end_of_0008(conn: Connection) -> None:
        await conn.execute("update month_close set in_progress = false where seller_id = %s", [seller])

    await run(end_of_0008)
    assert await run(progress_of, seller, MARCH, now) is None
    assert (await data.freeze(data.distributor)).numbers == ["INV-2026-00001"]
