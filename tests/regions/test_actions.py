"""Refused changes of regions, and that they have no effect."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.authentication.members import key_file
from tests.cast import Cast
from tests.unchanged import refused
from tonnage.db import Connection
from tonnage.errors import Conflict, NotFound
from tonnage.regions import actions
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sealing import SealingError

pytestmark = pytest.mark.anyio

GATEWAY = Gateway("http://127.0.0.1:1", "ACCESS", "secret")


def named(name: str) -> NewRegion:
    return NewRegion(name, *["https://s3.example.org"] * 3)


async def test_nothing_can_be_sealed(cast: Cast, tmp_path: Path) -> None:
    """Without a readable key file no region is added, and none is half connected."""
    region, known = f"r{uuid4().hex[:12]}", await cast.region()
    for keys, error in ((None, Conflict), (tmp_path / "nowhere", SealingError)):
        async with refused(cast.database, error):
            await cast.database.run(
                actions.add_region, cast.operator, named(region), cast.now, gateway=GATEWAY, key_file=keys
            )
        async with refused(cast.database, error):
            await cast.database.run(actions.connect_region, cast.operator, known, GATEWAY, cast.now, keys)


async def test_there_is_one_of_that_name(cast: Cast, tmp_path: Path) -> None:
    known, keys = await cast.region(), key_file(tmp_path)
    for gateway in (None, GATEWAY):
        async with refused(cast.database, Conflict, "already"):
            await cast.database.run(
                actions.add_region, cast.operator, named(known), cast.now, gateway=gateway, key_file=keys
            )


async def test_there_is_none_of_that_name(cast: Cast, tmp_path: Path) -> None:
    keys = key_file(tmp_path)
    works: list[Callable[[Connection], Awaitable[None]]] = [
        lambda conn: actions.connect_region(conn, cast.operator, "nowhere", GATEWAY, cast.now, keys),
        lambda conn: actions.remove_region(conn, cast.operator, "nowhere"),
        lambda conn: actions.make_default(conn, cast.operator, "nowhere"),
    ]
    for work in works:
        async with refused(cast.database, NotFound):
            await cast.database.run(work)


async def test_accounts_live_in_it(cast: Cast) -> None:
    region, distributor = await cast.region(), await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    await cast.account(partner, region=region)
    async with refused(cast.database, Conflict, "still has storage accounts"):
        await cast.database.run(actions.remove_region, cast.operator, region)
