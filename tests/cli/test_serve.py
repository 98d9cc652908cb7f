"""`tonnage serve` in real processes, with real signals."""

import json
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from testbed.stopping import kill
from tests.cast import TB, Cast
from tests.cli.running import PATIENCE, Running, started, status, tonnage
from tonnage.db import connect
from tonnage.embedded import connect_or_serve
from tonnage.embedded.directory import Directory
from tonnage.embedded.orphans import processes
from tonnage.migrations import program_revision

pytestmark = pytest.mark.anyio

Databases = Callable[[], AbstractContextManager[str]]


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


def test_a_data_directory_from_its_first_start_to_its_recovery(tmp_path: Path) -> None:
    data, directory = tmp_path / "data", Directory(tmp_path / "data")
    with started("serve", "--port", "0", "--data-dir", data) as server:
        origin = server.origin
        assert status(f"{origin}/healthz") == status(f"{origin}/readyz") == 200
        assert (data / "secret.key").stat().st_mode & 0o777 == 0o600
        _second_one_is_refused(data, origin, server)
        examined = tonnage("doctor", "--json", "--data-dir", data)
        assert examined.exit_code == 0, examined.stdout
        assert {result["status"] for result in json.loads(examined.stdout)} == {"ok"}
        assert server.end(signal.SIGTERM) == 0
    assert processes(directory) == []
    assert tonnage("region", "list", "--json", "--data-dir", data).stdout == "[]\n", "it runs a server meanwhile"
    assert processes(directory) == []

    with started("serve", "--port", "0", "--data-dir", data) as server:
        assert server.origin
        kill(server.process.pid, *processes(directory))
        server.process.wait()

    with started("serve", "--port", "0", "--data-dir", data) as server:
        assert server.origin
        assert server.end(signal.SIGINT) == 0
    assert processes(directory) == []


def test_it_ends_with_its_database_and_a_restart_recovers(tmp_path: Path) -> None:
    data, directory = tmp_path / "data", Directory(tmp_path / "data")
    # No worker: a job that runs at that moment fails, and rightly logs a traceback.
    with started("serve", "--port", "0", "--data-dir", data, "--no-worker") as server:
        origin = server.origin
        with connect_or_serve(data) as (_, url):
            kill(_backend(url))
            until(lambda: status(f"{origin}/readyz") == 200)
        kill(int((directory.cluster / "postmaster.pid").read_text().split()[0]))
        server.wait_for(r"The embedded PostgreSQL has stopped \(killed by signal 9\)\. \S+/postgres.log may say why\.")
        assert server.process.wait(PATIENCE) == 1
        assert "Traceback" not in "".join([*server.lines, *(server.process.stdout or ())])
    with started("serve", "--port", "0", "--data-dir", data) as server:
        assert status(f"{server.origin}/readyz") == 200
        assert server.end(signal.SIGTERM) == 0
    assert processes(directory) == []


def _backend(url: str) -> int:
    """The backend process of one of our connections."""
    with psycopg.connect(url) as conn:
        row = conn.execute(
            "select pid from pg_stat_activity where application_name like 'tonnage %' order by pid limit 1"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _second_one_is_refused(data: Path, origin: str, server: Running) -> None:
    second = tonnage("serve", "--port", "0", "--data-dir", data)
    assert (second.exit_code, second.stdout) == (1, "")
    assert f"in use by another Tonnage, process {server.process.pid}" in second.stderr
    assert second.stderr.startswith("Error: ")


def test_a_port_in_use_is_reported_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = tonnage("serve", "--port", str(port), "--data-dir", tmp_path / "data")
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"Error: Port {port} of 127.0.0.1 cannot be used: Address already in use. Choose another with --port.\n"
    )
    assert not (tmp_path / "data").exists()


def test_a_database_of_ones_own_must_have_been_migrated(empty_database: str, tmp_path: Path) -> None:
    refused = tonnage("serve", "--port", "0", "--database-url", empty_database, "--data-dir", tmp_path / "data")
    assert refused.exit_code == 1
    needed = program_revision()
    assert refused.stderr.startswith(f"Error: The database is at revision none, but this program needs {needed}.")
    assert refused.stderr.endswith("Run `tonnage migrate`.\n")
    assert not (tmp_path / "data").exists()


def test_an_unreachable_database_and_a_wrong_url(tmp_path: Path) -> None:
    refused = tonnage("region", "list", TONNAGE_DATABASE_URL=f"postgresql://u:secret@/d?host={tmp_path}")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: The database cannot be reached: ")
    assert refused.stderr.count("\n") == 1
    wrong = tonnage("serve", TONNAGE_DATABASE_URL="postgres//u:secret@host/d")
    assert wrong.exit_code == 2
    assert "write postgresql://user:password@host/database" in wrong.stderr
    assert "secret" not in refused.stderr + wrong.stderr


@pytest.mark.parametrize("given", ["", " "])
def test_a_database_url_that_is_empty(given: str, tmp_path: Path) -> None:
    """As with a shell variable that is not set: it must not become an embedded database."""
    wrong = tonnage("region", "list", "--database-url", given, "--data-dir", tmp_path / "data")
    assert wrong.exit_code == 2
    assert "it is empty; give the URL of a PostgreSQL database, or omit the option" in wrong.stderr
    assert not (tmp_path / "data").exists()


class Request:
    """A change that waits, because the test holds a lock on its row."""

    def __init__(self, origin: str, key: str, contract: UUID) -> None:
        body = json.dumps({"distributorContractId": str(contract), "name": "Late", "allocatedCapacity": TB})
        self._request = urllib.request.Request(
            f"{origin}/v1/partner",
            body.encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        self.status: int | None = None
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self) -> None:
        try:
            with urllib.request.urlopen(self._request, timeout=60) as response:
                self.status = response.status
        except OSError:
            self.status = 0


def _waits_for_a_lock(conninfo: str) -> bool:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute(
            "select count(*) from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
    return row is not None and row[0] > 0


def _accepts(origin: str) -> bool:
    host, port = origin.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("patient", [True, False])
async def test_a_request_under_way_is_finished_unless_a_second_signal_comes(
    new_database: Databases, tmp_path: Path, patient: bool
) -> None:
    with new_database() as conninfo:
        async with connect(conninfo) as database:
            cast = await Cast.of(database)
            distributor = await cast.distributor()
            contract = await cast.contract(distributor)
            key = await cast.key(distributor)
        with started("serve", "--port", "0", "--database-url", conninfo, "--no-worker") as server:
            origin = server.origin
            with psycopg.connect(conninfo) as holder:
                holder.execute("select from contract where id = %s for update", [contract])
                request = Request(origin, key, contract)
                until(lambda: _waits_for_a_lock(conninfo))
                server.process.send_signal(signal.SIGTERM)
                until(lambda: not _accepts(origin))
                assert server.process.poll() is None, "it waits for the request"
                if patient:
                    holder.rollback()
                    assert server.process.wait(30) == 0
                else:
                    begun = time.monotonic()
                    assert server.end(signal.SIGTERM) == 0
                    assert time.monotonic() - begun < 10
            request.thread.join()
            assert request.status == (201 if patient else 0)


def test_the_demo_is_ready_to_paste(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        arguments = ("serve", "--demo", "--port", "0", "--database-url", conninfo, "--data-dir", tmp_path / "demo")
        with started(*arguments) as server:
            origin = server.origin
            assert server.wait_for("Try the API at (.+)").group(1) == f"{origin}/swagger/index.html"
            key = server.wait_for("^Bearer (.+)$").group(1)
            assert status(f"{origin}/v1/contract/list", key) == 200
            assert status(f"{origin}/swagger/index.html") == 200
            assert json.loads((tmp_path / "demo/demo.json").read_text())["base_url"] == f"{origin}/v1"


def test_the_demo_is_not_mixed_with_other_data(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        assert tonnage("distributor", "create", "Somebody", "--database-url", conninfo).exit_code == 0
        refused = tonnage("serve", "--demo", "--port", "0", "--database-url", conninfo, "--data-dir", tmp_path)
    assert refused.exit_code == 2
    assert "sample data is not mixed with it" in refused.stderr
