"""A full disk under the embedded database: it says so, ends on a signal, and comes back with room."""

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.cli.running import PATIENCE, Running, started
from tonnage.embedded import running_urls
from tonnage.web.problem import DISK_FULL


@pytest.fixture
def disk() -> Generator[Path]:
    """A small file system of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tonnage-test-"))
    folder.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("a file system cannot be mounted here: only root may")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


def fill(disk: Path) -> None:
    descriptor = os.open(disk / "filler", os.O_WRONLY | os.O_CREAT)
    for size in (65_536, 4_096, 1):
        with suppress(OSError):
            while True:
                os.write(descriptor, b"x" * size)
    os.close(descriptor)


def readiness(origin: str) -> tuple[int, str]:
    """The status of /readyz, and why it is not ready."""
    try:
        with urllib.request.urlopen(f"{origin}/readyz", timeout=60) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["detail"]


def end_database(url: str) -> None:
    """Writes until PostgreSQL cannot create the next segment of its log, and ends."""
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as conn:
        while True:
            conn.execute("select pg_logical_emit_message(true, 'x', repeat('x', 1000000))")


def started_on(disk: Path) -> tuple[str, ...]:
    return ("serve", "--port", "0", "--data-dir", str(disk / "data"))


def until_stopped(server: Running) -> None:
    server.wait_for("The disk of the embedded PostgreSQL is full. PostgreSQL has stopped")


def test_it_says_so_and_comes_back_with_room(disk: Path) -> None:
    with started(*started_on(disk)) as server:
        origin, url = server.origin, running_urls(disk / "data").owner
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("create table kept as select 42 as n")
        assert readiness(origin) == (200, "")
        fill(disk)
        assert readiness(origin) == (503, DISK_FULL), "before anything has failed"
        end_database(url)
        until_stopped(server)
        assert readiness(origin) == (503, DISK_FULL)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(3)
        (disk / "filler").unlink()
        server.wait_for("The embedded PostgreSQL was started")
        deadline = time.monotonic() + PATIENCE
        while readiness(origin)[0] != 200:
            assert time.monotonic() < deadline
        with psycopg.connect(url) as conn:
            assert conn.execute("select n from kept").fetchall() == [(42,)]
        assert server.end(signal.SIGTERM) == 0
        assert server.process.stdout is not None
        stops = [line for line in (*server.lines, *server.process.stdout) if "PostgreSQL has stopped" in line]
        assert len(stops) == 1, "it is not started while there is no room"


def test_it_ends_while_the_disk_is_full(disk: Path) -> None:
    """The process that waits for room does not start another server meanwhile."""
    with started(*started_on(disk)) as server:
        assert server.origin
        url = running_urls(disk / "data").owner
        fill(disk)
        end_database(url)
        until_stopped(server)
        began = time.monotonic()
        assert server.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 40, "20 seconds, and a margin for a busy machine"


def test_a_running_database_is_stopped_without_its_checkpoint(disk: Path) -> None:
    with started(*started_on(disk)) as server:
        assert server.origin
        with psycopg.connect(running_urls(disk / "data").owner, autocommit=True) as conn:
            conn.execute("create table kept as select n from generate_series(1, 10000) n")
            fill(disk)
        began = time.monotonic()
        assert server.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 40
        (disk / "filler").unlink()
    with started(*started_on(disk)) as server:
        assert readiness(server.origin) == (200, "")
        with psycopg.connect(running_urls(disk / "data").owner) as conn:
            assert conn.execute("select count(*) from kept").fetchall() == [(10_000,)]
        assert server.end(signal.SIGTERM) == 0
