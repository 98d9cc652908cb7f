"""Sample data is loaded once, as a whole or not at all, and its key file can always be recovered."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from tests.cast import Cast
from tests.demo.starting import NOW, URL, kept, names, one, start
from tonnage import demo, keyfile
from tonnage.api_keys.key_cache import KeyCache
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.demo import scene
from tonnage.errors import Unauthenticated
from tonnage.keyfile import KeyFile

pytestmark = pytest.mark.anyio


async def test_the_next_start_finds_it_as_it_was(database: Database, tmp_path: Path) -> None:
    first = await start(database, tmp_path)
    before = kept(tmp_path)
    count = await one(database, "select count(*) from audit_entry")
    again = await start(database, tmp_path, "http://127.0.0.1:9000/v1", datetime(2026, 5, 1, tzinfo=UTC))
    assert again == first
    after = kept(tmp_path)
    assert (after.keys, after.members) == (before.keys, before.members)
    assert after.base_url == "http://127.0.0.1:9000/v1"
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert await one(database, "select count(*) from audit_entry") == count


@pytest.mark.parametrize("damage", ["lost", "broken", "of another installation"])
async def test_a_lost_key_file_is_made_again(database: Database, tmp_path: Path, damage: str) -> None:
    first = await start(database, tmp_path)
    before, path = kept(tmp_path), tmp_path / "demo.json"
    match damage:
        case "lost":
            path.unlink()
        case "broken":
            path.write_text("{")
        case _:
            path.write_text(path.read_text().replace(first.admin_key, "tng_" + "0" * 38))
    again = await start(database, tmp_path)
    after = kept(tmp_path)
    assert set(after.keys) == set(before.keys)
    assert [member.email for member in after.members] == [member.email for member in before.members]
    assert {member.password for member in after.members}.isdisjoint(member.password for member in before.members)
    ring = KeyCache(database, WallClock(lambda: NOW))
    for key in (again.admin_key, first.admin_key, *after.keys.values()):
        await ring.admit(key)
    assert await one(database, "select count(*) from storage_account") == (sum(1 for _ in scene.openings()),)


async def test_a_key_file_made_again_leaves_out_what_is_gone(database: Database, tmp_path: Path) -> None:
    await start(database, tmp_path)

    async def part(conn: Connection) -> None:
        await conn.execute("update organisation set closed_at = now() where name = 'Test partner'")
        await conn.execute("delete from member where email like '%@partner.example.com'")

    await database.run(part)
    (tmp_path / "demo.json").unlink()
    await start(database, tmp_path)
    after = kept(tmp_path)
    assert {name for name in scene.KEYS if not name.startswith("partner_")} == set(after.keys)
    assert {member.organisation for member in after.members} == {
        "Test distributor",
        "Other distributor",
        "Other partner",
        "Operator",
    }


async def test_other_data_is_never_mixed_with_it(database: Database, tmp_path: Path) -> None:
    await (await Cast.of(database)).distributor()
    count = await one(database, "select count(*) from audit_entry")
    with pytest.raises(demo.DemoRefused, match="without --demo"):
        await start(database, tmp_path)
    assert await one(database, "select count(*) from audit_entry") == count
    assert names(tmp_path) == []


async def test_a_region_is_other_data_too(database: Database, tmp_path: Path) -> None:
    await (await Cast.of(database)).region("eu-central-2")
    with pytest.raises(demo.DemoRefused):
        await start(database, tmp_path)


async def test_a_key_file_that_cannot_be_written_leaves_the_database_empty(database: Database, tmp_path: Path) -> None:
    (tmp_path / "demo.json").mkdir()
    with pytest.raises(demo.DemoRefused, match=r"demo\.json"):
        await start(database, tmp_path)
    assert await one(database, "select count(*) from organisation") == (1,)
    assert names(tmp_path) == ["demo.json"]


async def test_two_starts_at_once_load_it_once(database: Database, tmp_path: Path) -> None:
    made: list[demo.Demo] = []

    async def begin() -> None:
        made.append(await start(database, tmp_path))

    async with anyio.create_task_group() as starts:
        for _ in range(3):
            starts.start_soon(begin)
    assert len({one.admin_key for one in made}) == 1
    assert await one(database, "select count(*) from api_key") == (len(scene.KEYS),)


async def test_keys_of_a_load_that_was_cut_off_are_worth_nothing(database: Database, tmp_path: Path) -> None:
    # The state that a power failure leaves between the file and the end of the transaction.
    stale = KeyFile(URL, {"distributor_admin": "tng_" + "0" * 38}, [])
    keyfile.write(tmp_path / "demo.json", stale)
    made = await start(database, tmp_path)
    assert made.admin_key != stale.keys["distributor_admin"]
    ring = KeyCache(database, WallClock(lambda: NOW))
    await ring.admit(made.admin_key)
    with pytest.raises(Unauthenticated):
        await ring.admit(stale.keys["distributor_admin"])
