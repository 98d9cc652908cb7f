"""Starts the demo, and reads its data."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from tonnage import demo, keyfile
from tonnage.db import Connection, Database, ListQuery
from tonnage.keyfile import KeyFile
from tonnage.passwords import Passwords

URL = "http://127.0.0.1:8000/v1"
NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)


async def start(database: Database, folder: Path, url: str = URL, now: datetime = NOW) -> demo.Demo:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return await demo.prepare(database, folder, url, now, passwords=cheap)


def kept(folder: Path) -> KeyFile:
    found = keyfile.read(demo.path_in(folder))
    assert found is not None
    return found


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


async def documents(database: Database, query: ListQuery) -> list[Any]:
    async def read(conn: Connection) -> list[Any]:
        return [json.loads(row[1]) for row in await (await conn.execute(*query())).fetchall()]

    return await database.run(read)


async def one(database: Database, query: Any) -> tuple[Any, ...]:
    async def read(conn: Connection) -> tuple[Any, ...]:
        row = await (await conn.execute(query)).fetchone()
        assert row is not None
        return row

    return await database.run(read)
