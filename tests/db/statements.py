"""Work for a connection."""

from typing import Any

from tonnage.db import Connection


async def execute(conn: Connection, statement: Any) -> None:
    await conn.execute(statement)


async def pid(conn: Connection) -> int:
    return conn.info.backend_pid
