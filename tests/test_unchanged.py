"""What is refused and changes something all the same is found."""

import psycopg
import pytest

from tests.cast import Cast
from tests.unchanged import unchanged
from tonnage.db import Connection

pytestmark = pytest.mark.anyio

RENAME = "update organisation set name = name || '!' where id = %s"


async def test_a_new_row_is_found(cast: Cast) -> None:
    with pytest.raises(AssertionError, match="changed all the same: audit_entry, organisation"):
        async with unchanged(cast.database):
            await cast.distributor()


async def test_a_change_that_began_before_is_found(cast: Cast, conninfo: str) -> None:
    distributor = await cast.distributor()
    async with await psycopg.AsyncConnection.connect(conninfo) as other:
        await other.execute(RENAME, [distributor.organisation_id])
        with pytest.raises(AssertionError, match="changed all the same: organisation"):
            async with unchanged(cast.database):
                await other.commit()


async def test_what_is_rolled_back_is_no_change(cast: Cast) -> None:
    distributor = await cast.distributor()

    async def work(conn: Connection) -> None:
        await conn.execute(RENAME, [distributor.organisation_id])
        raise ZeroDivisionError

    async with unchanged(cast.database):
        with pytest.raises(ZeroDivisionError):
            await cast.database.transaction(work)
