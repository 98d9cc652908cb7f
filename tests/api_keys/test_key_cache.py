"""The cache of API keys: how long an entry is valid, also after a clock was set back, and its maximum size."""

import asyncio
from datetime import timedelta

import pytest

from tests.api.conftest import Clock
from tests.cast import NOW, Cast
from tonnage.access.actor import Actor
from tonnage.api_keys.actions import revoke_key
from tonnage.api_keys.api_key import new_key
from tonnage.api_keys.key_cache import KeyCache
from tonnage.api_keys.queries import record_use
from tonnage.clock import WallClock
from tonnage.db.deadlines import InDoubt, WaitLimit, limited
from tonnage.errors import Unauthenticated

pytestmark = pytest.mark.anyio


async def revoke(cast: Cast, actor: Actor) -> None:
    (key_id,) = await cast.row("select id from api_key where organisation_id = %s", actor.organisation_id)
    await cast.database.run(revoke_key, cast.operator, key_id, NOW)


async def test_a_known_key_is_trusted_for_less_than_a_second(cast: Cast) -> None:
    distributor, clock = await cast.distributor(), Clock()
    key, key_cache = await cast.key(distributor), KeyCache(cast.database, WallClock(clock))
    await key_cache.admit(key)
    await revoke(cast, distributor)
    clock.now = NOW + timedelta(seconds=0.999)
    assert (await key_cache.admit(key)).actor.organisation_id == distributor.organisation_id
    clock.now = NOW + timedelta(seconds=1)
    with pytest.raises(Unauthenticated, match="revoked"):
        await key_cache.admit(key)


@pytest.mark.parametrize("back", [timedelta(milliseconds=1), timedelta(hours=1)])
async def test_after_a_clock_has_gone_back_no_entry_is_valid(cast: Cast, back: timedelta) -> None:
    """Otherwise a revoked key would stay valid until the clock is again where it was."""
    distributor, clock = await cast.distributor(), Clock()
    key, key_cache = await cast.key(distributor), KeyCache(cast.database, WallClock(clock))
    await key_cache.admit(key)
    await revoke(cast, distributor)
    clock.now = NOW - back
    with pytest.raises(Unauthenticated, match="revoked"):
        await key_cache.admit(key)


async def test_the_number_of_entries_is_bounded(cast: Cast) -> None:
    distributors = [await cast.distributor() for _ in range(7)]
    keys = [await cast.key(distributor) for distributor in distributors]
    key_cache = KeyCache(cast.database, WallClock(Clock()), most=3)
    remembered: set[int] = set()
    for key, distributor in [*zip(keys, distributors, strict=True)] * 2:
        assert (await key_cache.admit(key)).actor.organisation_id == distributor.organisation_id
        remembered.add(key_cache.remembered)
        if key_cache.full.is_set():
            await key_cache.flush()
    assert remembered == {1, 2, 3}
    await key_cache.flush()
    noted = "select count(*) from api_key where organisation_id = any(%s) and last_used_at = %s"
    assert await cast.row(noted, [distributor.organisation_id for distributor in distributors], NOW) == (7,)


async def test_unknown_keys_are_not_cached(cast: Cast) -> None:
    key_cache = KeyCache(cast.database, WallClock(Clock()))
    for guess in (*(new_key() for _ in range(20)), "guessed", ""):
        with pytest.raises(Unauthenticated):
            await key_cache.admit(guess)
    assert key_cache.remembered == 0


async def test_last_used_times_are_written_in_order_of_id(cast: Cast) -> None:
    """Two processes with the same keys would wait for each other otherwise."""
    distributor = await cast.distributor()
    for _ in range(20):
        await cast.key(distributor)
    (ids,) = await cast.row(
        "select array_agg(id order by id) from api_key where organisation_id = %s", distributor.organisation_id
    )
    lock = "select from api_key where id = any(%s) for no key update nowait"
    async with cast.database.pool.connection() as first, cast.database.pool.connection() as others:
        async with first.transaction():
            await first.execute(lock, [ids[:1]])
            writing = asyncio.create_task(cast.database.run(record_use, dict.fromkeys(reversed(ids), NOW)))
            blocked = "select count(*) from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
            async with asyncio.timeout(30):
                while await cast.row(blocked, first.info.backend_pid) == (0,):
                    assert not writing.done()
            # None of these is locked by one that waits for the first.
            await others.execute(lock, [ids[1:]])
        await writing
    noted = "select count(*) from api_key where organisation_id = %s and last_used_at = %s"
    assert await cast.row(noted, distributor.organisation_id, NOW) == (20,)


async def test_last_used_times_that_cannot_be_written_are_kept_and_fail_no_request(cast: Cast) -> None:
    distributors = [await cast.distributor() for _ in range(4)]
    keys = [await cast.key(distributor) for distributor in distributors]
    clock = Clock()
    key_cache = KeyCache(cast.database, WallClock(clock), most=2)
    for key in keys[:2]:
        await key_cache.admit(key)
    noted = "select array_agg(last_used_at order by seq) from api_key where organisation_id = any(%s)"
    organisations = [distributor.organisation_id for distributor in distributors]
    async with cast.database.pool.connection() as conn, conn.transaction():
        await conn.execute("select from api_key where organisation_id = any(%s) for update", [organisations])
        for key in keys[:3]:
            with limited(WaitLimit(0.3)), pytest.raises(InDoubt):
                await key_cache.flush()
            clock.now += timedelta(milliseconds=1)
            await key_cache.admit(key)
            assert key_cache.remembered == 2
    await key_cache.flush()
    later = [NOW + timedelta(milliseconds=passed) for passed in (1, 2)]
    assert await cast.row(noted, organisations) == ([*later, None, None],)
    await key_cache.admit(keys[3])
    await key_cache.flush()
    assert await cast.row(noted, organisations) == ([*later, None, clock.now],)
