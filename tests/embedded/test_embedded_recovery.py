"""Recovery after an orderly stop, after SIGKILL in every combination, and after a power failure."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from testbed.stopping import stop
from tonnage.embedded import connect_or_serve, serve
from tonnage.embedded.account import Account
from tonnage.embedded.directory import Directory
from tonnage.embedded.orphans import processes
from tonnage.embedded.server import ServerLimits

Holder = Callable[[Path], "subprocess.Popen[str]"]
UNCLEAN = "was not properly shut down"


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0])


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def gone(pid: int) -> bool:
    """Ended, or a zombie that its parent has not waited for yet."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_data_and_password_survive_an_orderly_stop(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serve(data_dir, durable=False) as (_, first):
        ask(first, "CREATE TABLE kept AS SELECT 42 AS n")
        pid = postmaster(data_dir)
    assert not Path(f"/proc/{pid}").exists()
    assert processes(Directory(data_dir)) == []
    assert list((data_dir / "run").iterdir()) == []
    with serve(data_dir, durable=False) as (_, second):
        assert second == first
        assert ask(second, "SELECT n FROM kept") == [(42,)]
    log = (data_dir / "postgres.log").read_text()
    assert log.count("database system is shut down") == 2
    assert UNCLEAN not in log


def test_stops_with_clients_in_the_middle_of_a_transaction(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serve(tmp_path / "data", durable=False) as (_, url):
            conn = stack.enter_context(psycopg.connect(url))
            conn.execute("CREATE TABLE unfinished ()")
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")


def test_a_server_that_ignores_the_shutdown_is_stopped(tmp_path: Path) -> None:
    """A frozen backend holds up the fast shutdown; the postmaster itself kills it five seconds after SIGQUIT."""
    data_dir = tmp_path / "data"
    with ExitStack() as stack:
        with serve(data_dir, durable=False, limits=ServerLimits(stop=0.1)) as (_, url):
            conn = stack.enter_context(psycopg.connect(url))
            pid = postmaster(data_dir)
            stop(conn.info.backend_pid)
        assert not Path(f"/proc/{pid}").exists()
        assert processes(Directory(data_dir)) == []
    assert "received immediate shutdown request" in (data_dir / "postgres.log").read_text()


def test_committed_rows_survive_sigkill_of_everything(tmp_path: Path, hold: Holder) -> None:
    data_dir = tmp_path / "data"
    tonnage = hold(data_dir)
    ask(first_line(tonnage), "CREATE TABLE kept AS SELECT 42 AS n")
    pid = postmaster(data_dir)
    tonnage.kill()
    os.kill(pid, signal.SIGKILL)
    tonnage.wait()
    assert (data_dir / "postgres/postmaster.pid").exists()
    assert (data_dir / "lock").read_text() == f"{tonnage.pid}\n"
    with serve(data_dir) as (_, url):
        assert ask(url, "SELECT n FROM kept") == [(42,)]
    assert UNCLEAN in (data_dir / "postgres.log").read_text()


def test_an_orphaned_server_is_stopped_in_order_first(tmp_path: Path, hold: Holder) -> None:
    data_dir = tmp_path / "data"
    tonnage = hold(data_dir)
    ask(first_line(tonnage), "CREATE TABLE kept AS SELECT 42 AS n")
    orphan = postmaster(data_dir)
    tonnage.kill()
    tonnage.wait()
    os.kill(orphan, 0)
    with serve(data_dir) as (_, url):
        assert postmaster(data_dir) != orphan
        assert ask(url, "SELECT n FROM kept") == [(42,)]
        assert gone(orphan)
    assert UNCLEAN not in (data_dir / "postgres.log").read_text()


def test_a_busy_backend_without_its_postmaster_is_ended(tmp_path: Path, hold: Holder) -> None:
    """It would run for hours, and access the next server's files."""
    data_dir = tmp_path / "data"
    tonnage = hold(data_dir)
    url = first_line(tonnage)
    with closing(psycopg.connect(url, autocommit=True)) as conn:
        backend = conn.info.backend_pid
        conn.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000000)")
        while ask(url, f"SELECT state FROM pg_stat_activity WHERE pid = {backend}") != [("active",)]:
            pass
        tonnage.kill()
        os.kill(postmaster(data_dir), signal.SIGKILL)
        tonnage.wait()
        assert backend in processes(Directory(data_dir))
        with serve(data_dir) as (_, again):
            assert backend not in processes(Directory(data_dir))
            assert ask(again, "SELECT 1") == [(1,)]


def test_a_reused_process_number_does_not_keep_the_server_out(tmp_path: Path) -> None:
    """A container has few process ids: after a crash the old one soon belongs to another process of the same user."""
    data_dir = tmp_path / "data"
    with serve(data_dir, durable=False):
        stale = (data_dir / "postgres/postmaster.pid").read_text().splitlines()
        stale_socket = (data_dir / "run/.s.PGSQL.5432.lock").read_text().splitlines()
    owner = (data_dir / "postgres").stat()
    account = Account(owner.st_uid, owner.st_gid)
    with subprocess.Popen(["sleep", "600"], **account.privileges) as neighbour:
        try:
            for path, lines in (("postgres/postmaster.pid", stale), ("run/.s.PGSQL.5432.lock", stale_socket)):
                file = data_dir / path
                file.write_text("\n".join([str(neighbour.pid), *lines[1:], ""]))
                os.chown(file, owner.st_uid, owner.st_gid)
            (data_dir / "run/.s.PGSQL.5432").touch()
            with serve(data_dir, durable=False) as (_, url):
                assert ask(url, "SELECT 1") == [(1,)]
            assert neighbour.poll() is None
        finally:
            neighbour.kill()


def test_an_interrupted_initdb_is_repeated(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    half = data_dir / "postgres.new"
    half.mkdir(parents=True)
    (data_dir / "lock").touch()
    (data_dir / "postgres.password").write_text("of the one that was never finished")
    (half / "PG_VERSION").write_text("18")
    with serve(data_dir, durable=False) as (_, url):
        assert ask(url, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_a_missing_database_is_created(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serve(data_dir, durable=False) as (_, url):
        ask(url.replace("@/tonnage?", "@/postgres?"), "DROP DATABASE tonnage WITH (FORCE)")
    with serve(data_dir, durable=False) as (_, url):
        assert ask(url, "SELECT current_database()::text") == [("tonnage",)]


def test_ctrl_c_reaches_tonnage_and_not_its_server(tmp_path: Path) -> None:
    script = """
import signal, sys
from pathlib import Path
import psycopg
from tonnage.embedded import serve
# Tests that a shell has started in the background have it ignored, and so would this.
signal.signal(signal.SIGINT, signal.default_int_handler)
with serve(Path(sys.argv[1]), durable=False) as (_, url):
    try:
        print("ready", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        with psycopg.connect(url) as conn:
            print(conn.execute("SELECT 'still here'").fetchone()[0])
"""
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert first_line(process) == "ready"
        os.killpg(process.pid, signal.SIGINT)
        assert first_line(process) == "still here"
    assert process.returncode == 0


def test_of_many_at_once_one_serves_and_all_are_answered(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    everybody = threading.Barrier(4)
    found: list[object] = []

    def command() -> None:
        with connect_or_serve(data_dir, durable=False) as (_, url):
            found.extend(ask(url, "SELECT pg_postmaster_start_time()"))
            everybody.wait(60)

    threads = [threading.Thread(target=command) for _ in range(everybody.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_command_takes_the_place_of_a_server_that_ends(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serve(data_dir, durable=False):
        pass
    answers: list[object] = []

    def command() -> None:
        with connect_or_serve(data_dir, durable=False) as (_, url):
            answers.extend(ask(url, "SELECT 1"))

    with (data_dir / "lock").open() as ending:
        fcntl.flock(ending, fcntl.LOCK_EX)
        thread = threading.Thread(target=command)
        thread.start()
        assert answers == []
    thread.join()
    assert answers == [(1,)]
