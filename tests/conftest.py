"""The database of the tests: one server per worker, on it a migrated template, and clones of that.

By default the server is the embedded one; TONNAGE_TEST_POSTGRES names the folder of another version's programs.
"""

import gc
import os
import uuid
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from testbed.gateway import ABSENT, Gateway
from tests.cast import Cast
from tests.ceph_client import ClusterClient, on_cluster
from tests.frozen import FreezableServer, freezable_server
from tests.memory import folder_in_memory
from tests.postgres import Cluster
from tonnage import embedded, migrations
from tonnage.db import Database, connect
from tonnage.embedded.address import OWNER, PROGRAM

import_module("tonnage.worker")  # declares every job: actions defer them by name


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: searching it for garbage takes a quarter of the time, and would go on in the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Generator[str]:
    """The URL of a server on which tests may create databases, by the role that owns them."""
    programs = os.environ.get("TONNAGE_TEST_POSTGRES")
    with folder_in_memory() as folder:
        if programs:
            cluster = Cluster(Path(programs), durable=False, within=folder)
            with psycopg.connect(cluster.url, autocommit=True) as conn:
                conn.execute("create role tonnage_app login")
            yield cluster.url
            cluster.remove()
        else:
            with embedded.serve(folder, durable=False) as (_, url):
                _set_passwords(url)
                yield url


def _set_passwords(server: str) -> None:
    """The same for both roles, so that `as_owner` can make one's URL of the other's.

    A test opens several connections, and hashing would take half of the time of each: once is enough.
    """
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("set scram_iterations = 1")
        for role in (OWNER, PROGRAM):
            password = sql.Literal(conn.info.password)
            conn.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), password))


def _database_url(server: str, name: str) -> str:
    return make_conninfo(server, dbname=name)


def _program_url(server: str, name: str) -> str:
    return make_conninfo(server, dbname=name, user=PROGRAM)


@contextmanager
def _created(server: str, template: str | None = None) -> Generator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as conn:
        # Copied as files, which the server need not log: half of the time.
        copied = sql.SQL(" template {} strategy file_copy")
        source = copied.format(sql.Identifier(template)) if template else sql.SQL("")
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)) + source)
        yield name
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def template(server: str) -> Generator[str]:
    """The name of a migrated database without connections."""
    with _created(server) as name:
        migrations.upgrade(_database_url(server, name), program_role=PROGRAM)
        yield name


@pytest.fixture(scope="session")
def new_database(server: str, template: str) -> Callable[[], AbstractContextManager[str]]:
    """For tests that need an exclusive database: `with new_database() as conninfo`."""

    @contextmanager
    def clone() -> Generator[str]:
        with _created(server, template) as name:
            # A clone of the template is not a copy of one installation.
            with psycopg.connect(_database_url(server, name), autocommit=True) as conn:
                conn.execute("update installation set id = gen_random_uuid()")
            yield _program_url(server, name)

    return clone


@pytest.fixture(scope="module")
def conninfo(new_database: Callable[[], AbstractContextManager[str]]) -> Generator[str]:
    """The module's own database. Its tests share it: create your own organisations, and do not expect empty tables."""
    with new_database() as own:
        yield own


@pytest.fixture
def empty_database(server: str) -> Generator[str]:
    """A database without any schema."""
    with _created(server) as name:
        yield _database_url(server, name)


@pytest.fixture
async def database(conninfo: str) -> AsyncGenerator[Database]:
    async with connect(conninfo) as opened:
        await opened.pool.wait()  # else the first statement opens another connection
        yield opened


@pytest.fixture
async def cast(database: Database) -> Cast:
    return await Cast.of(database)


@pytest.fixture
async def own_database(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[Cast]:
    """A cast in an exclusive database, for tests that depend on every row of it."""
    with new_database() as conninfo:
        async with connect(conninfo) as opened:
            await opened.pool.wait()
            yield await Cast.of(opened)


@pytest.fixture(scope="session")
def freezable(tmp_path_factory: pytest.TempPathFactory) -> Generator[FreezableServer]:
    """An exclusive server with a migrated database. Tests leave it thawed."""
    with freezable_server(tmp_path_factory.mktemp("freezable")) as server:
        yield server


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without Ceph the summary has one line about all of these tests: skips from one place are counted together."""
    if ABSENT and item.get_closest_marker("ceph"):
        pytest.skip(ABSENT)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """Tests share it: create your own accounts, do not expect empty lists, and leave it running."""
    started = Gateway(tmp_path_factory.mktemp("rgw"))
    yield started
    started.remove()


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> AsyncGenerator[ClusterClient]:
    """On the worker's gateway, in a database of its own. No worker runs its jobs."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as client:
            yield client
