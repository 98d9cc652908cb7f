"""The feed of events after a restore. Not on the oldest PostgreSQL, which a newer `pg_restore` does not suit."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.events.test_feed import published, read, write
from tests.recovery.test_restore import dump, put_back
from tonnage.db import connect
from tonnage.errors import Gone
from tonnage.events.event_feed import FeedReader

pytestmark = pytest.mark.anyio


async def test_a_reader_goes_on_where_it_was_after_a_restore(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            reader = FeedReader.of(await (await Cast.of(database)).distributor())
            await write(database, reader, entries=3)
            await published(database)
            seen = await read(database, reader)
            await asyncio.to_thread(dump, conninfo, tmp_path / "backup")
            await write(database, reader)
            await published(database)
            [lost] = await read(database, reader, seen[-1].id)
        await asyncio.to_thread(put_back, conninfo, tmp_path / "backup")
        async with connect(conninfo) as database:
            assert await read(database, reader) == seen
            await write(database, reader, "partner.move")
            await published(database)
            [found] = await read(database, reader, seen[-1].id)
            assert found.type == "partner.moved"
            # An event that the backup lacks is none, although another has its place.
            assert found.position == lost.position
            with pytest.raises(Gone):
                await read(database, reader, lost.id)
