"""What every command needs: which database is meant, a session on it, and in whose name it acts."""

import asyncio
import functools
import signal
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click
import psycopg
from pydantic import ValidationError

from tonnage import embedded, migrations, sealing
from tonnage.access.actor import Actor, Kind
from tonnage.cli.error_messages import READ_ONLY
from tonnage.cli.output import printed
from tonnage.cli.param_types import CONNINFO
from tonnage.clock import system_time
from tonnage.config import DatabaseUrls, Settings, default_sandbox_dir
from tonnage.db import Connection, Database, ListQuery, connect, one_row
from tonnage.db.deadlines import COMMAND_LOCK_WAIT, DeadlineConnection, connect_timeout
from tonnage.db.poolers import MixedSessions, require_own_sessions
from tonnage.error_codes import UnavailableCode
from tonnage.errors import TonnageError, Unavailable
from tonnage.sandbox.queries import operator_and_time
from tonnage.sandbox_clock import SandboxClock

import_module("tonnage.worker")  # declares every job: a command may defer any of them

P = ParamSpec("P")
T = TypeVar("T")

_OVERRIDES = "tonnage.settings"


@dataclass(frozen=True)
class Session:
    """What a command works with: the database, the operator as its actor, and both clocks."""

    database: Database
    operator: Actor
    clock: SandboxClock
    """The source of `now`."""

    @property
    def now(self) -> datetime:
        """The time by the business clock: of terms, usage and deletions."""
        return self.clock.read()

    @property
    def wall_now(self) -> datetime:
        """The time by the wall clock: of keys, sessions, locks and links."""
        return system_time()

    async def documents(self, query: ListQuery, missing: TonnageError | None = None) -> list[bytes]:
        """The JSON documents of a list. No row at all raises `missing`, where the list is one of something."""

        async def read(conn: psycopg.AsyncConnection[tuple[Any, ...]]) -> list[tuple[int, bytes | None]]:
            return await (await conn.execute(*query())).fetchall()

        rows = await self.database.run(read)
        if not rows and missing is not None:
            raise missing
        return [document for _, document in rows if document is not None]


def on_database(command: Callable[Concatenate[Settings, P], T]) -> Callable[P, T]:
    """Gives a command `--database-url` and `--data-dir`, and the settings as its first argument."""

    @functools.wraps(command)
    def with_settings(*args: P.args, **kwargs: P.kwargs) -> T:
        with printed():
            return command(_settings(click.get_current_context()), *args, **kwargs)

    url = click.option(
        "--database-url",
        type=CONNINFO,
        envvar="TONNAGE_DATABASE_URL",
        show_envvar=True,
        expose_value=False,
        callback=override,
        help="The PostgreSQL database to use. Without it, the embedded one is used.",
    )
    folder = click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="TONNAGE_DATA_DIR",
        show_envvar=True,
        expose_value=False,
        callback=override,
        help="The directory of the embedded database and its secrets.",
    )
    return url(folder(with_settings))


def of_sandbox(settings: Settings) -> Settings:
    """The settings with the directory of a sandbox, if none was given."""
    if "data_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data_dir": default_sandbox_dir()})


def override(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """The callback of an option that sets what else a variable does: the setting of the same name."""
    if value not in (None, ()):
        ctx.meta.setdefault(_OVERRIDES, {})[param.name] = value


def _settings(ctx: click.Context) -> Settings:
    try:
        return Settings(**ctx.meta.get(_OVERRIDES, {}))
    except ValidationError as error:
        wrong = [f"TONNAGE_{str(one['loc'][0]).upper()}: {one['msg']}." for one in error.errors()]
        raise click.UsageError(" ".join(wrong)) from error


def run(settings: Settings, work: Callable[[Session], Awaitable[T]]) -> T:
    """Does `work` with a session on the database of the settings, whose schema fits.

    Raises SchemaError, EmbeddedError and what `work` raises; an unreachable database is psycopg.OperationalError.
    """

    async def in_session(conninfo: str) -> T:
        async with connect(conninfo, size=2, streams=1, lock_wait=COMMAND_LOCK_WAIT) as database:
            operator, time = await database.run(operator_and_time)
            actor = Actor.on_command_line(operator, Kind.OPERATOR)
            return await work(Session(database, actor, SandboxClock(time)))

    with fitting_database(settings) as conninfo:
        return asyncio.run(in_session(conninfo))


@contextmanager
def fitting_database(settings: Settings) -> Generator[str]:
    """The libpq URL of the database, its schema fitting this program. An embedded one is migrated to fit."""
    with some_database(settings) as urls:
        fit(urls, automatically=not settings.database_url)
        yield urls.program


@contextmanager
def some_database(settings: Settings) -> Generator[DatabaseUrls]:
    """The libpq URLs of the database, with any schema. An embedded one is running, or runs while this lasts."""
    if urls := settings.database_urls:
        yield urls
        return
    # A command that gets SIGTERM must also stop the server that it has started.
    with _ending_in_order(signal.SIGTERM, signal.SIGHUP), embedded.connect_or_serve(settings.data_dir) as urls:
        yield urls


def fit(urls: DatabaseUrls, *, automatically: bool) -> None:
    """Raises SchemaError unless the schema fits; when `automatically`, migrates it first if it is behind."""
    found = asyncio.run(schema_state(urls.program))
    if found.problem() and automatically:
        migrations.upgrade(urls.owner, program_role=current_role(urls.program))
        found = asyncio.run(schema_state(urls.program))
    problem = found.problem()
    if problem:
        raise migrations.SchemaError(problem)


def key_file(settings: Settings) -> Path | None:
    """The file of the keys that seal secrets; None where none is set, for a database that is not embedded."""
    if settings.secret_key_file or settings.database_url:
        return settings.secret_key_file
    return settings.data_dir / "secret.key"


def prove_keys(conninfo: str, settings: Settings) -> None:
    """Raises SealingError unless the keys open what is sealed. The embedded database gets its first key here."""

    async def prove() -> None:
        async with await _connected(conninfo) as connection:
            await prepare_keys(connection, settings)

    asyncio.run(prove())


async def prepare_keys(conn: Connection, settings: Settings) -> None:
    """As `prove_keys`, for a command that is going to seal something: it may be the first to do so."""
    may_create = not settings.database_url and not settings.secret_key_file
    await sealing.prepare(conn, key_file(settings), may_create=may_create)


def require_changeable(conninfo: str) -> None:
    """Raises click.ClickException when the database takes no changes: a server would answer, and then fail at each."""

    async def look() -> bool:
        async with await _connected(conninfo) as connection:
            cursor = await connection.execute("select current_setting('transaction_read_only')::boolean")
            return (await one_row(cursor))[0]

    if asyncio.run(look()):
        raise click.ClickException(READ_ONLY)


def find_sandbox(conninfo: str, clock: SandboxClock) -> None:
    """Finds out whether the database, whose schema fits, is a sandbox."""

    async def find() -> None:
        async with await _connected(conninfo) as connection:
            await clock.find(connection)

    asyncio.run(find())


def current_role(conninfo: str) -> str:
    """The role that a URL logs in as, asked of the server: a pooler or a provider may give it another name."""

    async def ask() -> str:
        async with await _connected(conninfo) as connection:
            return (await one_row(await connection.execute("select current_user::text")))[0]

    return asyncio.run(ask())


async def schema_state(conninfo: str) -> migrations.SchemaState:
    """Compares the database with this program. An unreachable one is psycopg.OperationalError, one behind a pooler in
    transaction mode is Unavailable.
    """
    async with await _connected(conninfo) as connection, await _connected(conninfo) as another:
        try:
            await require_own_sessions(connection, another)
        except MixedSessions as error:
            raise Unavailable(str(error), UnavailableCode.DATABASE_UNAVAILABLE) from error
        return await migrations.state(connection)


async def _connected(conninfo: str) -> DeadlineConnection:
    return await DeadlineConnection.connect(conninfo, autocommit=True, **connect_timeout(conninfo))


@contextmanager
def _ending_in_order(*numbers: signal.Signals) -> Generator[None]:
    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in numbers}
    # One that is ignored was set so by nohup.
    wanted = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in wanted:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])
