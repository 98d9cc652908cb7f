"""The end of API keys is announced: each time once, and not for keys that nobody uses any more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.cast import Cast
from tonnage.access.actor import Actor, Role, system_stamp
from tonnage.api_keys.actions import create_key, revoke_key
from tonnage.api_keys.api_key import NewKey
from tonnage.api_keys.queries import announce_expiry
from tonnage.partners.actions import close_partner

pytestmark = pytest.mark.anyio

BEGIN = datetime(2002, 1, 1, tzinfo=UTC)
"""Before the keys of other tests in this database."""


@pytest.fixture
async def partner(cast: Cast) -> Actor:
    distributor = await cast.distributor()
    return await cast.partner(distributor, await cast.contract(distributor))


async def key(cast: Cast, partner: Actor, days: float) -> UUID:
    details = NewKey("for a test", Role.VIEWER, BEGIN + timedelta(days=days))
    _, facts = await cast.database.run(create_key, partner, partner.organisation_id, details, BEGIN)
    return facts.id


async def announced(cast: Cast, day: float) -> int:
    return await cast.database.run(announce_expiry, BEGIN + timedelta(days=day), system_stamp())


async def entries(cast: Cast, key_id: UUID) -> list[str]:
    (found,) = await cast.row(
        "select array_agg(action order by id) from audit_entry where subject_id = %s and actor_kind = 'job'",
        str(key_id),
    )
    return found or []


async def test_twice_before_the_end_and_at_the_end(cast: Cast, partner: Actor) -> None:
    made = await key(cast, partner, 30)
    for day in (1, 15.9, 16, 16.5, 20, 26.9, 27, 27.1, 29.9, 30, 30.1, 60):
        await announced(cast, day)
    assert await entries(cast, made) == ["key.near-expiry", "key.near-expiry", "key.expire"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (14, ["key.near-expiry", "key.expire"]),
        (3, ["key.expire"]),
        (0.1, ["key.expire"]),
    ],
)
async def test_a_key_for_a_short_time_is_not_announced_when_it_is_made(
    cast: Cast, partner: Actor, days: float, expected: list[str]
) -> None:
    made = await key(cast, partner, days)
    for day in (0, 0.05, 1, 5, 11, 13, 14, 15):
        await announced(cast, day)
    assert await entries(cast, made) == expected


async def test_a_worker_that_was_away_announces_the_last_stage_only(cast: Cast, partner: Actor) -> None:
    made = await key(cast, partner, 30)
    await announced(cast, 29)
    await announced(cast, 29.1)
    assert await entries(cast, made) == ["key.near-expiry"]


async def test_keys_that_work_no_longer_are_not_announced(cast: Cast, partner: Actor) -> None:
    made = await key(cast, partner, 30)
    await cast.database.run(revoke_key, partner, made, BEGIN)
    distributor = await cast.distributor()
    closed = await cast.partner(distributor, await cast.contract(distributor))
    of_closed = await key(cast, closed, 30)
    await cast.database.run(close_partner, distributor, closed.organisation_id, BEGIN)
    for day in (20, 28, 31):
        await announced(cast, day)
    assert await entries(cast, made) == await entries(cast, of_closed) == []
