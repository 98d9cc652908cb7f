"""Sessions have the program's settings in any environment and on any server."""

import pytest
from psycopg.conninfo import make_conninfo

from tonnage.db import Connection, connect

pytestmark = pytest.mark.anyio


async def settings(conninfo: str) -> dict[str, str]:
    async def ask(conn: Connection) -> dict[str, str]:
        rows = await (await conn.execute("select name, setting from pg_settings")).fetchall()
        return {str(name): str(setting) for name, setting in rows}

    async with connect(conninfo, size=1, streams=1) as database:
        return await database.run(ask)


async def test_the_environment_does_not_matter(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGTZ", "America/New_York")
    found = await settings(conninfo)
    assert found["client_encoding"] == "UTF8"
    assert found["DateStyle"] == "ISO, YMD"
    assert found["TimeZone"] == "UTC"
    assert found["default_transaction_isolation"] == "read committed"


async def test_options_of_the_url_are_kept(conninfo: str) -> None:
    url = make_conninfo(conninfo, options="-c search_path=public -c work_mem=7MB")
    found = await settings(url)
    assert (found["search_path"], found["work_mem"], found["TimeZone"]) == ("public", "7168", "UTC")
