"""One database, upgraded by a later program, while this one runs on it."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
from psycopg.rows import tuple_row

from tests.cli.command import Command
from tests.cli.running import started
from tests.migrations.later import BREAKING, COMPATIBLE, FAILING
from tests.roles import upgrade
from tonnage import migrations
from tonnage.migrations import SchemaError, SchemaState, Upgraded, program_revision
from tonnage.migrations.revisions import PROGRAM, Revisions

pytestmark = pytest.mark.oldest_postgresql

Databases = Callable[[], AbstractContextManager[str]]


def state(conninfo: str, revisions: Revisions = PROGRAM) -> SchemaState:
    async def look() -> SchemaState:
        async with await psycopg.AsyncConnection.connect(conninfo, row_factory=tuple_row) as connection:
            return await migrations.state(connection, revisions)

    return asyncio.run(look())


def rows(conninfo: str, query: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as conn:
        return conn.execute(query).fetchall()


class LoadClient:
    """Creates partners at a server, in sequence."""

    def __init__(self, origin: str, conninfo: str) -> None:
        tonnage = Command(conninfo)
        distributor = tonnage.distributor()
        self.contract = tonnage.contract(distributor)
        key = tonnage.json("key", "create", "--organisation", distributor, "--role", "staff", "--description", "Buyer")[
            "key"
        ]
        self._http = httpx.Client(base_url=origin, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self.statuses: list[int] = []

    def ready(self) -> httpx.Response:
        return self._http.get("/readyz")

    def send_requests(self) -> None:
        body = {"name": "Partner", "allocatedCapacity": 1, "distributorContractId": self.contract}
        self.statuses.append(self._http.post("/v1/partner", json=body).status_code)
        self.statuses.append(self._http.get(f"/v1/contract/{self.contract}/partners?limit=2").status_code)

    @contextmanager
    def running(self) -> Generator[None]:
        """Runs during the block: at least some requests come before its first statement, and some after its last."""
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                self.send_requests()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            try:
                self._wait_for_more()
                yield
                self._wait_for_more()
            finally:
                ended.set()
                done.result()

    def _wait_for_more(self) -> None:
        enough, deadline = len(self.statuses) + 20, time.monotonic() + 60
        while len(self.statuses) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def close(self) -> None:
        self._http.close()


@contextmanager
def serving(conninfo: str, folder: Path) -> Generator[LoadClient]:
    """A server of this program, and a client of it."""
    with started("serve", "--port", "0", "--database-url", conninfo, "--data-dir", folder) as server:
        load = LoadClient(server.origin, conninfo)
        try:
            yield load
        finally:
            load.close()


def test_older_programs_continue_if_the_revision_permits(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo, serving(conninfo, tmp_path) as load:
        with load.running():
            assert upgrade(conninfo, revisions=COMPATIBLE) == Upgraded(program_revision(), "9001", 0)
        assert set(load.statuses) == {201, 200}
        assert load.ready().status_code == 200
        bought = load.statuses.count(201)
        assert rows(conninfo, "select count(*) from partner where label = ''") == [(bought,)]
        # More processes of this program may start; and it does not take the schema back.
        tonnage = Command(conninfo)
        newer = (
            f"The database is at revision 9001, newer than this program's {program_revision()}, and works with it.\n"
        )
        assert tonnage.ok("migrate") == newer
        assert upgrade(conninfo) == Upgraded("9001", "9001", 0)
        assert "ok   schema: revision 9001" in tonnage.ok("doctor").splitlines()
    with new_database() as conninfo:
        assert state(conninfo).problem() is None


def test_older_programs_are_refused_if_the_revision_does_not_permit(new_database: Databases, tmp_path: Path) -> None:
    sentence = (
        "The database is at revision 9003, which needs a program of revision 9002 or newer, but this one "
        f"has revision {program_revision()}. Upgrade Tonnage."
    )
    with new_database() as conninfo, serving(conninfo, tmp_path) as load:
        assert load.ready().status_code == 200
        # The last of the two permits older programs; the one before does not.
        assert upgrade(conninfo, revisions=BREAKING).after == "9003"
        answer = load.ready()
        assert (answer.status_code, answer.json()["detail"]) == (503, sentence)
        tonnage = Command(conninfo)
        for command in (("migrate",), ("worker",), ("serve", "--port", "0"), ("partner", "list")):
            assert tonnage.refused(*command) == f"Error: {sentence}\n"
        assert state(conninfo, COMPATIBLE).problem() == sentence.replace(
            f"revision {program_revision()}.", "revision 9001."
        )
        assert state(conninfo, BREAKING).problem() is None


def test_a_newer_program_waits_for_its_schema(new_database: Databases) -> None:
    with new_database() as conninfo:
        assert state(conninfo, COMPATIBLE).problem() == (
            f"The database is at revision {program_revision()}, but this program needs 9001. Run `tonnage migrate`."
        )
        upgrade(conninfo, revisions=COMPATIBLE)
        assert state(conninfo, COMPATIBLE).problem() is None


def test_several_at_once_migrate_it_once(new_database: Databases) -> None:
    with new_database() as conninfo, ThreadPoolExecutor(4) as pool:
        begun = [pool.submit(upgrade, conninfo, revisions=BREAKING) for _ in range(4)]
        made = [one.result() for one in begun]
    went, already = Upgraded(program_revision(), "9003", 0), Upgraded("9003", "9003", 0)
    assert sorted(made, key=str) == sorted([went, already, already, already], key=str)


def test_a_revision_that_fails_leaves_nothing(new_database: Databases) -> None:
    with new_database() as conninfo:
        with pytest.raises(Exception, match="division by zero"):
            upgrade(conninfo, revisions=FAILING)
        assert rows(conninfo, "select to_regclass('half_way')") == [(None,)]
        assert state(conninfo).problem() is None
        assert upgrade(conninfo, revisions=COMPATIBLE).after == "9001"


def test_a_revision_that_does_not_get_its_locks_leaves_nothing_and_lets_others_through(
    new_database: Databases,
) -> None:
    with new_database() as conninfo:
        with psycopg.connect(conninfo) as reader:
            reader.execute("select from partner")
            with pytest.raises(SchemaError, match=r"locked the database for 1 s\. Nothing was changed"):
                upgrade(conninfo, lock_timeout=1, revisions=COMPATIBLE)
            assert rows(conninfo, "select count(*) from partner") == [(0,)]
        assert state(conninfo).database == program_revision()
        assert upgrade(conninfo, revisions=COMPATIBLE).after == "9001"


def test_nothing_waits_long_behind_a_revision_that_waits_for_a_lock(new_database: Databases) -> None:
    """Every statement on a table waits behind one that waits for its exclusive lock."""
    with new_database() as conninfo, ThreadPoolExecutor(1) as pool, psycopg.connect(conninfo) as reader:
        reader.execute("select from partner")
        begun = pool.submit(upgrade, conninfo, lock_timeout=300, revisions=COMPATIBLE)
        waited = 0
        while not waited:
            waited = rows(conninfo, "select count(*) from pg_locks where not granted")[0][0]
        with psycopg.connect(conninfo) as another:
            another.execute("set lock_timeout = '30s'")
            another.execute("select from partner")
        assert not begun.done()
        reader.rollback()
        assert begun.result().after == "9001"
