"""What `tonnage doctor` looks at around the data: the server, the schema, the jobs, the keys and the data directory."""

import stat
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from tonnage import migrations, sealing
from tonnage.access.checks import Check, compare
from tonnage.authentication.throttling import PROXY_SHOWN_FOR
from tonnage.authentication.throttling_queries import untrusted_proxy
from tonnage.cli.context import key_file
from tonnage.config import Settings
from tonnage.db import Connection, one_row
from tonnage.epoch.queries import installation
from tonnage.migrations import grants
from tonnage.migrations.rules import expected_rules
from tonnage.web.proxy_headers import is_trusted

OLDEST_SERVER = 15


@dataclass(frozen=True)
class Finding:
    """A line of the doctor's. A note is worth knowing, but nothing is wrong."""

    status: Literal["ok", "note", "FAIL"]
    what: str
    detail: str


async def server(conn: Connection) -> list[Finding]:
    """Its version, encoding and latency, and whether it keeps what it has confirmed."""
    started = time.perf_counter()
    row = await one_row(
        await conn.execute("select current_setting('server_version'), current_setting('server_encoding')")
    )
    latency = (time.perf_counter() - started) * 1000
    version, encoding = row
    fits = conn.info.server_version >= OLDEST_SERVER * 10_000 and encoding == "UTF8"
    findings = [
        Finding("ok", "connection", f"PostgreSQL {version}, {encoding}, answers in {latency:.1f} ms")
        if fits
        else Finding(
            "FAIL", "connection", f"PostgreSQL {version}, {encoding}; it must be {OLDEST_SERVER} or newer, and UTF8"
        )
    ]
    risky = await one_row(
        await conn.execute(
            "select coalesce(string_agg(name, ', ' order by name collate \"C\"), '') from pg_settings"
            " where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'",
        )
    )
    if risky[0]:
        findings.append(Finding("note", "durability", f"a power failure may lose data: {risky[0]} off"))
    return findings


async def proxy(conn: Connection, settings: Settings, now: datetime) -> list[Finding]:
    """Whether clients behind a proxy count as one."""
    peer = await untrusted_proxy(conn, now - PROXY_SHOWN_FOR)
    if peer is None or is_trusted(peer, settings.trusted_proxies):
        return []
    return [
        Finding(
            "note",
            "proxy",
            f"{peer} sends X-Forwarded-For and is no trusted proxy; if it is your proxy, set --trusted-proxy: until "
            "then all clients behind it count as one, and are blocked together",
        )
    ]


async def schema(conn: Connection) -> Finding:
    """Whether this program may run on the database."""
    found = await migrations.state(conn)
    problem = found.problem()
    return Finding("FAIL", "schema", problem) if problem else Finding("ok", "schema", f"revision {found.database}")


async def role(conn: Connection) -> Finding:
    """Whether the program's role can do only what the program needs."""
    name = (await one_row(await conn.execute("select current_user::text")))[0]
    wrong = await grants.differing(conn, name)
    if wrong is None:
        return Finding(
            "note",
            "role",
            f"{name} owns the tables, so whoever controls the program could change the audit log; see the operator "
            "guide on two roles",
        )
    if wrong:
        return Finding(
            "FAIL", "role", f"{name} has other rights than it needs on {', '.join(wrong)}; run: tonnage migrate"
        )
    return Finding("ok", "role", f"{name} cannot change definitions, nor entries of the audit log")


async def constraints(conn: Connection) -> Check:
    """All are there, and the database has seen each constraint to hold for all rows; likewise indexes."""
    found = await migrations.state(conn)
    # Of a database ahead of it the program does not know what has been replaced there.
    expected = expected_rules() if found.database == found.program else ()
    return await compare(
        conn,
        "database: constraints and indexes",
        """
        select coalesce(f.subject, e.name), coalesce(f.state, 'missing'), 'valid'
        from (
            select coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || '.' || conname,
                case when convalidated then 'valid' else 'not validated' end
            from pg_constraint
            where connamespace = current_schema()::regnamespace and (conrelid <> 0 or contypid <> 0)
            union all
            select x.indexrelid::regclass::text, case when x.indisvalid then 'valid' else 'invalid' end
            from pg_index x join pg_class c on c.oid = x.indexrelid
            where c.relnamespace = current_schema()::regnamespace
        ) f (subject, state) full join unnest(%s::text[]) e (name) on e.name = f.subject
        """,
        [sorted(expected)],
    )


async def jobs(conn: Connection) -> Finding:
    """Jobs that failed stay in the queue's table, and nobody does them again."""
    row = await one_row(
        await conn.execute(
            "select count(*), string_agg(distinct task_name, ', ') from procrastinate_jobs where status = 'failed'",
        )
    )
    if row[0]:
        return Finding("note", "jobs", f"{row[0]} failed ({row[1]}); see: tonnage jobs list --failed")
    return Finding("ok", "jobs", "none failed")


async def hold(conn: Connection) -> Finding:
    """Whether the database waits for the operator after it was put back from a backup."""
    found = await installation(conn)
    if found.hold is not None:
        return Finding("FAIL", "hold", f"{found.hold.reason} See: tonnage restore check")
    return Finding("ok", "hold", f"none; the epoch is {found.epoch}")


async def secrets(conn: Connection, settings: Settings) -> Finding:
    """Whether the keys open everything that is sealed."""
    file = key_file(settings)
    sealed = await sealing.count_sealed(conn)
    if file is None:
        if sealed:
            return Finding(
                "FAIL", "secrets", f"{sealed} are encrypted; set TONNAGE_SECRET_KEY_FILE to the file of their keys"
            )
        return Finding("note", "secrets", "none can be encrypted until TONNAGE_SECRET_KEY_FILE is set")
    if not sealed and not settings.secret_key_file:
        return Finding("ok", "secrets", "none yet; the first start of the server creates their key")
    try:
        opened = await sealing.open_all(conn, file)
    except sealing.SealingError as error:
        return Finding("FAIL", "secrets", str(error))
    return Finding("ok", "secrets", f"the keys in {file} decrypt all {opened}")


def data_directory(folder: Path) -> Finding:
    """Whether the embedded database's directory is closed to strangers."""
    private = [
        folder / "postgres",
        *folder.glob("*.password"),
        *folder.glob("*.key"),
        *folder.glob("demo.json"),
        *folder.glob("sandbox.json"),
    ]
    open_ones = [f"{path} ({_mode(path):o})" for path in private if path.exists() and _mode(path) & 0o077]
    if _mode(folder) & 0o077:
        open_ones.insert(0, f"{folder} ({_mode(folder):o})")
    if open_ones:
        return Finding(
            "FAIL", "data directory", f"other users have access to {', '.join(open_ones)}; restrict it with chmod"
        )
    return Finding("ok", "data directory", f"{folder} is private")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
