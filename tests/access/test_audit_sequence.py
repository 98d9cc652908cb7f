"""The positions and digests of audit entries."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.cast import Cast
from tests.migrations.released import first_release
from tests.roles import as_owner, run_as_owner, url_of
from tonnage import migrations
from tonnage.access import audit_sequence_queries, checks
from tonnage.access.audit_sequence import Mismatch, Progress, Writers, first_of_each_organisation
from tonnage.access.audit_sequence_actions import sequence_entries, verify
from tonnage.db import Database, connect
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.worker import SEQUENCE_PAUSE, sequence_forever

pytestmark = pytest.mark.anyio

WRITE = """
    insert into audit_entry (actor_kind, organisation_id, action, subject_id, before, after)
    select 'cli', %s, 'partner.change', n::text, '{"name": "Ä \\"quoted\\" \\\\ 1.50"}', '{"allocatedCapacity": 1.50}'
    from generate_series(1, %s) n"""
ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
async def own(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[tuple[str, Database]]:
    """A database whose own entries have their positions."""
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            await sequence_entries(database)
            yield conninfo, database


async def fetched(database: Database, query: LiteralString, *params: object) -> list[tuple[Any, ...]]:
    async def read(conn: Any) -> list[tuple[Any, ...]]:
        return await (await conn.execute(query, params)).fetchall()

    return await database.run(read)


async def changed(database: Database, *statements: LiteralString) -> None:
    await asyncio.to_thread(run_as_owner, url_of(database), *statements)


async def write(database: Database, organisation: UUID = ONE, entries: int = 1) -> None:
    async def insert(conn: Any) -> None:
        await conn.execute(WRITE, [organisation, entries])

    await database.run(insert)


async def positions(database: Database) -> list[tuple[int, int]]:
    """(position, entry)"""
    return [
        (row[0], row[1]) for row in await fetched(database, "select position, entry_id from audit_sequence order by 1")
    ]


async def waiting(database: Database) -> int:
    [(count,)] = await fetched(
        database, "select count(*) from audit_entry where id not in (select entry_id from audit_sequence)"
    )
    return count


async def test_entries_get_positions_without_gaps_and_digests_per_organisation(own: tuple[str, Database]) -> None:
    _, database = own
    [(before,)] = await fetched(database, "select count(*) from audit_sequence")
    for organisation in (ONE, TWO, ONE):
        await write(database, organisation, 2)
    assert await sequence_entries(database) == 6
    assert await sequence_entries(database) == 0
    assert [position for position, _ in await positions(database)] == list(range(1, before + 7))
    previous: dict[str, bytes] = {}
    async with database.streams.connection() as conn:
        lines = [line async for _, line in audit_sequence_queries.sequenced_lines(conn, None)]
    for line in lines:
        text = line[line.index(', "entry": ') + 11 : -1]
        entry = json.loads(text)
        digest = sha256(previous.get(entry["organisationId"], b"") + text.encode()).digest()
        assert json.loads(line)["digest"] == digest.hex()
        previous[entry["organisationId"]] = digest
    last = json.loads(lines[-1])["entry"]
    assert (last["before"], last["after"]) == ({"name": 'Ä "quoted" \\ 1.50'}, {"allocatedCapacity": 1.5})
    assert last["organisationId"] == str(ONE)


async def test_an_entry_of_a_slow_transaction_is_not_skipped(own: tuple[str, Database]) -> None:
    conninfo, database = own
    async with await psycopg.AsyncConnection.connect(conninfo) as slow:
        await slow.execute(WRITE, [ONE, 1])
        for _ in range(3):
            await write(database)
            assert await sequence_entries(database) == 1
        await slow.commit()
        [(newest, slow_entry)] = await fetched(
            database,
            "select max(id), min(id) filter (where id not in (select entry_id from audit_sequence)) from audit_entry",
        )
        assert slow_entry < newest
    before = await positions(database)
    assert await sequence_entries(database) == 1
    assert await positions(database) == [*before, (before[-1][0] + 1, slow_entry)]
    # From here on the numbering does not look at old entries again.
    await sequence_entries(database)
    assert await fetched(database, "select complete_to, awaited_to, awaited from audit_sequence_progress") == [
        (newest, newest, [])
    ]


async def test_a_transaction_that_is_rolled_back_leaves_no_gap(own: tuple[str, Database]) -> None:
    conninfo, database = own
    async with await psycopg.AsyncConnection.connect(conninfo) as slow:
        await slow.execute(WRITE, [ONE, 3])
        await write(database)
        await sequence_entries(database)
        await slow.rollback()
    await write(database)
    await sequence_entries(database)
    found = await positions(database)
    assert [position for position, _ in found] == list(range(1, len(found) + 1))
    assert await waiting(database) == 0


@pytest.mark.parametrize("seed", range(5))
async def test_a_reader_by_position_misses_nothing(own: tuple[str, Database], seed: int) -> None:
    """Transactions of any length, two that give positions at once, and a reader with a cursor."""
    conninfo, database = own
    chance = random.Random(seed)
    [(cursor,)] = await fetched(database, "select max(position) from audit_sequence")
    read: list[tuple[int, int]] = []
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(await psycopg.AsyncConnection.connect(conninfo)) for _ in range(4)]
        for _ in range(60):
            writer = chance.choice(writers)
            match chance.randrange(4):
                case 0 | 1:
                    await writer.execute(WRITE, [chance.choice([ONE, TWO]), chance.randrange(1, 4)])
                case 2:
                    await writer.commit()
                case _:
                    await writer.rollback()
            if chance.random() < 0.5:
                await asyncio.gather(sequence_entries(database), sequence_entries(database))
            if chance.random() < 0.5:
                new = await fetched(
                    database,
                    "select position, entry_id from audit_sequence where position > %s order by position limit 3",
                    cursor,
                )
                read += [(row[0], row[1]) for row in new]
                cursor = read[-1][0] if read else cursor
        for writer in writers:
            await writer.commit()
    for _ in range(2):
        await sequence_entries(database)
    read += [
        (row[0], row[1])
        for row in await fetched(
            database, "select position, entry_id from audit_sequence where position > %s order by position", cursor
        )
    ]
    assert await waiting(database) == 0
    every = await positions(database)
    assert read == every[len(every) - len(read) :]
    assert [position for position, _ in every] == list(range(1, len(every) + 1))
    assert await verify(database) == (len(every), [])


async def test_many_entries_that_wait_are_done_in_batches(own: tuple[str, Database]) -> None:
    _, database = own
    await write(database, ONE, 5_000)
    await write(database, TWO, 5_001)
    assert await sequence_entries(database) == 10_001
    last, wrong = await verify(database)
    assert (last, wrong) == ((await positions(database))[-1][0], [])


async def test_the_entries_of_an_upgraded_database_get_positions(empty_database: str, tmp_path: Path) -> None:
    migrations.upgrade(empty_database, revisions=first_release(tmp_path))
    with psycopg.connect(empty_database) as conn:
        conn.execute(WRITE, [ONE, 7])
    migrations.upgrade(empty_database)
    async with connect(empty_database) as database:
        [(entries,)] = await fetched(database, "select count(*) from audit_entry")
        assert await sequence_entries(database) == entries >= 7
        assert await verify(database) == (entries, [])


async def test_a_worker_numbers_them_within_seconds_and_survives_errors(
    own: tuple[str, Database], caplog: pytest.LogCaptureFixture
) -> None:
    _, database = own
    assert SEQUENCE_PAUSE <= 5
    await changed(database, "alter table audit_sequence_progress rename to hidden")
    task = asyncio.create_task(sequence_forever(Services(database, OpenBackends(database, None)), pause=0.01))
    try:
        async with asyncio.timeout(30):
            await write(database)
            while "get their positions later" not in caplog.text:
                assert await waiting(database) == 1
            await changed(database, "alter table hidden rename to audit_sequence_progress")
            while await waiting(database):
                assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_ends_when_it_is_cancelled_in_the_middle_of_a_statement(own: tuple[str, Database]) -> None:
    """The driver may turn the cancellation into an error of the database."""
    _, database = own
    services = Services(database, OpenBackends(database, None))
    for turns in range(40):
        task = asyncio.create_task(sequence_forever(services, pause=0))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=20)
        assert done, turns


TAMPERED: list[tuple[str, tuple[LiteralString, ...], str]] = [
    (
        "an entry was changed",
        ("update audit_entry set after = '{{}}' where organisation_id = '{one}' and subject_id = '2'",),
        "the entry or one before it was changed",
    ),
    (
        "an entry was removed",
        ("delete from audit_entry where organisation_id = '{one}' and subject_id = '2'",),
        "the entry is missing",
    ),
    (
        "an entry was given to another organisation",
        ("update audit_entry set organisation_id = '{two}' where organisation_id = '{one}' and subject_id = '2'",),
        "the entry is missing",
    ),
    (
        "a digest was changed",
        (
            "update audit_sequence set digest = sha256('x') where entry_id in (select id from audit_entry"
            " where organisation_id = '{one}' and subject_id = '2')",
        ),
        "the entry or one before it was changed",
    ),
]


@pytest.mark.parametrize(("statements", "reason"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED])
async def test_what_was_tampered_with_is_named(
    own: tuple[str, Database], statements: tuple[str, ...], reason: str
) -> None:
    conninfo, database = own
    await write(database, TWO, 2)
    await write(database, ONE, 4)
    await sequence_entries(database)
    [(position, entry)] = await fetched(
        database,
        "select position, entry_id from audit_sequence s join audit_entry a on a.id = entry_id"
        " where a.organisation_id = %s and subject_id = '2'",
        ONE,
    )
    tamper(conninfo, *(text.format(one=ONE, two=TWO) for text in statements))
    _, found = await verify(database)
    assert found == [Mismatch(ONE, position, entry, reason)]
    checked = await database.run(checks.audit_sequence)
    assert [one.subject for one in checked.differences] == [f"organisation {ONE}, position {position}, entry {entry}"]


async def test_a_removed_position_and_an_entry_without_one_are_named(own: tuple[str, Database]) -> None:
    conninfo, database = own
    await write(database, ONE, 3)
    await write(database, TWO, 1)
    await sequence_entries(database)
    [(position, entry)] = await fetched(
        database, "select max(position), max(entry_id) from audit_sequence where organisation_id = %s", ONE
    )
    tamper(conninfo, f"delete from audit_sequence where position = {position}")
    _, found = await verify(database)
    assert found == [
        Mismatch(None, position, None, "the position is missing"),
        Mismatch(ONE, None, entry, "the entry has no position"),
    ]
    assert (await database.run(checks.audit_sequence)).differing == 2


async def test_removed_positions_at_the_edge_of_what_is_compared_at_once_are_found(own: tuple[str, Database]) -> None:
    conninfo, database = own
    await write(database, ONE, 5)
    await sequence_entries(database)
    last = await database.run(audit_sequence_queries.last_position)
    tamper(conninfo, f"delete from audit_sequence where position = {last - 2}")
    assert await database.run(audit_sequence_queries.mismatches, 0, last - 2) == []
    found = await database.run(audit_sequence_queries.mismatches, last - 2, last)
    assert [(one.position, one.reason) for one in found] == [
        (last - 2, "the position is missing"),
        (last - 1, "the entry or one before it was changed"),
    ]


async def test_positions_cannot_be_changed(own: tuple[str, Database]) -> None:
    _, database = own
    await write(database)
    await sequence_entries(database)
    for statement in (
        "update audit_sequence set position = position + 1000",
        "delete from audit_sequence",
        "truncate audit_sequence",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            await changed(database, statement)


def tamper(conninfo: str, *statements: str) -> None:
    with psycopg.connect(as_owner(conninfo)) as conn:
        conn.execute("set session_replication_role = replica")
        for statement in statements:
            assert conn.execute(statement.encode()).rowcount == 1


async def test_the_cast_writes_entries_that_fit(own_database: Cast) -> None:
    await own_database.distributor()
    await sequence_entries(own_database.database)
    last, wrong = await verify(own_database.database)
    assert last > 0
    assert wrong == []


def test_an_id_is_decided_when_those_who_were_writing_have_ended() -> None:
    progress = Progress(5, 5, frozenset())
    assert progress.low_watermark(Writers(9, frozenset())) == 9
    assert progress.low_watermark(Writers(9, frozenset({"1/1"}))) == 5
    waits = progress.advanced(Writers(9, frozenset({"1/1", "2/2"})), None)
    assert waits == Progress(5, 9, frozenset({"1/1", "2/2"}))
    # One of the two has ended; another one that came later does not count.
    waits = waits.advanced(Writers(12, frozenset({"2/2", "3/3"})), None)
    assert waits == Progress(5, 9, frozenset({"2/2"}))
    assert waits.low_watermark(Writers(15, frozenset({"3/3"}))) == 9
    assert waits.advanced(Writers(15, frozenset({"3/3"})), None) == Progress(9, 15, frozenset({"3/3"}))


def test_a_full_batch_completes_only_its_own_entries() -> None:
    progress = Progress()
    first = progress.advanced(Writers(100, frozenset()), 40)
    assert first == Progress(40, 100, frozenset())
    assert first.advanced(Writers(120, frozenset({"1/1"})), 80) == Progress(80, 100, frozenset())
    assert first.advanced(Writers(120, frozenset({"1/1"})), 110) == Progress(100, 120, frozenset({"1/1"}))


def test_the_first_misfit_of_each_organisation_counts() -> None:
    none = Mismatch(ONE, None, 3, "the entry has no position")
    first, second, gap = Mismatch(ONE, 4, 4, "a"), Mismatch(ONE, 9, 9, "b"), Mismatch(None, 7, None, "c")
    assert first_of_each_organisation([second, none, gap, first]) == [first, gap]
    assert first_of_each_organisation([none]) == [none]
    assert str(first) == f"organisation {ONE}, position 4, entry 4"
    assert str(gap) == "position 7"
