"""The cache of API keys: how long an entry is valid, also after a clock was set back, and its maximum size."""

from datetime import timedelta

import pytest

from tests.api.conftest import Clock
from tests.cast import NOW, Cast
from tonnage.access.actor import Actor
from tonnage.api_keys.actions import revoke_key
from tonnage.api_keys.api_key import new_key
from tonnage.api_keys.key_cache import KeyCache
from tonnage.clock import WallClock
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
    assert (await key_cache.admit(key)).organisation_id == distributor.organisation_id
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
        assert (await key_cache.admit(key)).organisation_id == distributor.organisation_id
        remembered.add(key_cache.remembered)
    assert remembered == {1, 2, 3}
    # The last uses that did not fit are written at once, and the others at the end.
    await key_cache.flush()
    noted = "select count(*) from api_key where organisation_id = any(%s) and last_used_at = %s"
    assert await cast.row(noted, [distributor.organisation_id for distributor in distributors], NOW) == (7,)


async def test_unknown_keys_are_not_cached(cast: Cast) -> None:
    key_cache = KeyCache(cast.database, WallClock(Clock()))
    for guess in (*(new_key() for _ in range(20)), "guessed", ""):
        with pytest.raises(Unauthenticated):
            await key_cache.admit(guess)
    assert key_cache.remembered == 0
