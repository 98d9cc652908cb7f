"""Old months of the audit log are dropped by the owner's function alone, and what stays can still be proven."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.access.test_audit_sequence import ONE, TWO, fetched, positions, tamper
from tests.cli.command import Command
from tests.roles import as_owner, url_of
from tonnage.access import audit_sequence_queries as queries
from tonnage.access import checks
from tonnage.access.audit_file import AuditFileError, verify_lines
from tonnage.access.audit_sequence import first_kept_month
from tonnage.access.audit_sequence_actions import drop_old_entries, sequence_entries, verify
from tonnage.db import Database, connect
from tonnage.organisations.queries import operator_id
from tonnage.sealing import create_key_file

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
THREE = UUID(int=3)


@pytest.mark.parametrize(
    ("months", "now", "expected"),
    [
        (1, "2026-03-31T23:59:59+00:00", "2026-02-01"),
        (3, "2026-03-01T00:00:00+00:00", "2025-12-01"),
        (12, "2026-12-15T00:00:00+00:00", "2025-12-01"),
        (1, "2026-01-01T00:30:00+01:00", "2025-11-01"),
    ],
)
async def test_whole_months_of_utc_are_kept(months: int, now: str, expected: str) -> None:
    assert first_kept_month(months, datetime.fromisoformat(now)).isoformat() == f"{expected}T00:00:00+00:00"


def month(ago: int) -> datetime:
    return first_kept_month(ago, NOW)


@pytest.fixture
async def own(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Database]:
    """Its own entries are five months old."""
    with new_database() as conninfo:
        with psycopg.connect(as_owner(conninfo)) as conn:
            conn.execute("set session_replication_role = replica")
            conn.execute("update audit_entry set at = %s", [month(5)])
        async with connect(conninfo) as database:
            await sequence_entries(database)
            yield database


async def write(database: Database, *entries: tuple[UUID, datetime]) -> None:
    """Entries of these organisations and times, in this order, with their positions."""

    def insert() -> None:
        with psycopg.connect(url_of(database)) as conn:
            for organisation, at in entries:
                conn.execute(
                    "insert into audit_entry (at, actor_kind, organisation_id, action, subject_id, after)"
                    """ values (%s, 'cli', %s, 'partner.change', 'one', '{"name": "One"}')""",
                    [at, organisation],
                )

    await asyncio.to_thread(insert)
    await sequence_entries(database)


async def history(database: Database) -> int:
    """Three old entries, one of last month, and one of now. Returns the last position before them."""
    before = len(await positions(database))
    await write(database, (ONE, month(4)), (TWO, month(3)), (ONE, month(3)), (ONE, month(1)), (TWO, NOW))
    return before


async def test_what_is_older_goes_and_the_rest_fits(own: Database) -> None:
    before = await history(own)
    assert await drop_old_entries(own, 12, NOW) == 0
    assert await drop_old_entries(own, 2, NOW) == before + 3
    assert [position for position, _ in await positions(own)] == [before + 4, before + 5]
    assert await fetched(own, "select count(*) from audit_entry") == [(2,)]
    assert await verify(own) == (2, [])
    assert (await own.run(checks.audit_sequence)).differing == 0
    assert await drop_old_entries(own, 2, NOW) == 0
    await write(own, (TWO, NOW), (THREE, NOW))
    assert await verify(own) == (4, [])


async def test_positions_and_digests_continue_when_all_were_dropped(own: Database) -> None:
    before = len(await positions(own))
    await write(own, (ONE, month(3)))
    assert await drop_old_entries(own, 1, NOW) == before + 1
    assert await verify(own) == (0, [])
    await write(own, (ONE, NOW))
    assert [position for position, _ in await positions(own)] == [before + 2]
    assert await verify(own) == (1, [])
    await asyncio.to_thread(
        tamper,
        url_of(own),
        f"update audit_dropped set digest = sha256('x') where organisation_id = '{ONE}'",
    )
    assert [one.organisation_id for one in (await verify(own))[1]] == [ONE]


async def test_batches_of_any_size_drop_the_same(own: Database) -> None:
    before = await history(own)
    dropped: list[int] = []
    while some := await own.run(queries.drop_entries, month(2), 2):
        assert await own.run(queries.mismatches, await own.run(queries.last_dropped), before + 5) == []
        dropped.append(some)
    assert sum(dropped) == before + 3
    assert set(dropped) <= {1, 2}


async def test_an_old_entry_among_newer_ones_stays_with_them(own: Database) -> None:
    """A transaction that took long got its position late."""
    before = len(await positions(own))
    await write(own, (ONE, month(1)), (ONE, month(4)))
    assert await drop_old_entries(own, 2, NOW) == before
    assert await verify(own) == (2, [])


async def test_nothing_is_dropped_that_was_tampered_with(own: Database, caplog: pytest.LogCaptureFixture) -> None:
    before = await history(own)
    await asyncio.to_thread(
        tamper,
        url_of(own),
        f"update audit_entry set after = null where organisation_id = '{TWO}' and at < '{month(2)}'",
    )
    assert await drop_old_entries(own, 2, NOW) == 0
    assert f"position {before + 2}" in caplog.text
    assert len(await positions(own)) == before + 5


async def test_only_the_function_deletes_and_only_months_that_are_over(own: Database) -> None:
    await history(own)
    for conninfo, statement, error in (
        (url_of(own), "delete from audit_entry", psycopg.errors.InsufficientPrivilege),
        (url_of(own), "delete from audit_dropped", psycopg.errors.InsufficientPrivilege),
        (url_of(own), "insert into audit_dropped values (gen_random_uuid(), 1, sha256('x'))",
         psycopg.errors.InsufficientPrivilege),
        (as_owner(url_of(own)), "delete from audit_entry", psycopg.errors.RestrictViolation),
        (url_of(own), "select drop_audit_entries(now() + interval '1 day', 10)", psycopg.errors.InvalidParameterValue),
        (url_of(own), "select drop_audit_entries(date_trunc('month', now()) + interval '1 month', 10)",
         psycopg.errors.InvalidParameterValue),
    ):  # fmt: skip
        with psycopg.connect(conninfo, options="-c tonnage.drops_audit_entries=off") as conn, pytest.raises(error):
            conn.execute(statement.encode())
    with psycopg.connect(url_of(own)) as conn:
        # What the function allows itself, the program's role cannot: it has no right to delete.
        conn.execute("set tonnage.drops_audit_entries = on")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("delete from audit_sequence")


def exported(command: Command, *arguments: str) -> list[bytes]:
    return command.ok("audit", "export", *arguments).encode().splitlines(keepends=True)


def test_an_export_begins_with_the_digests_of_what_was_dropped(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = tmp_path / "secret.key"
    create_key_file(key_file)
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(key_file))

    async def work(conninfo: str) -> None:
        async with connect(conninfo) as database:
            operator = await database.run(operator_id)
            await write(database, (operator, month(4)), (ONE, month(4)), (TWO, month(4)), (ONE, NOW), (TWO, NOW))

    with new_database() as conninfo:
        with psycopg.connect(as_owner(conninfo)) as conn:
            conn.execute("set session_replication_role = replica")
            conn.execute("update audit_entry set at = %s", [month(5)])
        asyncio.run(work(conninfo))
        command = Command(conninfo)
        whole = exported(command)

        async def drop() -> None:
            async with connect(conninfo) as database:
                await drop_old_entries(database, 2, NOW)

        asyncio.run(drop())
        lines = exported(command)
        assert verify_lines(lines).head["entries"] == 2
        dropped = [json.loads(line)["dropped"] for line in lines if line.startswith(b'{"dropped"')]
        assert [one["organisationId"] for one in dropped][-2:] == [str(ONE), str(TWO)]
        # The lines of the entries that stay are those of the earlier file.
        assert lines[len(dropped) : -1] == whole[-3:-1]
        of_one = exported(command, "--organisation", dropped[-3]["organisationId"])
        assert len(of_one) == 2
        assert verify_lines(of_one).head["position"] == dropped[-3]["position"]
    for broken, sentence in (
        (lines[len(dropped) :], "does not fit"),
        ([lines[-2], *lines], "Line 1: position"),
        ([*lines[:-1], lines[0], lines[-1]], "neither an entry nor a signed head"),
        (
            [lines[0].replace(dropped[0]["digest"][:8].encode(), b"00000000"), *lines[1:]],
            "head is that of other entries",
        ),
        ([b'{"dropped": {}}\n', *lines], "no organisation, position or digest"),
        ([lines[0], *lines], "stands behind"),
    ):
        with pytest.raises(AuditFileError, match=sentence):
            verify_lines(broken)
