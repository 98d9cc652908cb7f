"""`serve` and `worker` start while their database is away, and begin when it comes."""

import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.running import started
from tonnage import embedded, migrations
from tonnage.cli.database_wait import DatabaseCheck
from tonnage.db.deadlines import WaitLimit, request_limit, wait_limit


@pytest.fixture
def away(tmp_path: Path) -> str:
    """The URL of a database that does not run; `embedded.serve(tmp_path)` runs it."""
    with embedded.serve(tmp_path, durable=False) as (_, url):
        migrations.upgrade(url)
    return url


def status_of(url: str) -> tuple[int, str | None]:
    """And its Retry-After, of a server behind TLS."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            status, headers = answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            status, headers = error.code, error.headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    return status, headers["retry-after"]


def test_serve_waits_for_its_database(away: str, tmp_path: Path) -> None:
    url = "https://console.example.com"
    with started("serve", "--port", "0", "--public-url", url, TONNAGE_DATABASE_URL=away) as server:
        origin = server.wait_for(r"Requests to (http://\S+) are answered with 503").group(1)
        assert status_of(f"{origin}/healthz") == (200, None)
        for path in ("/readyz", "/v1/contract/list", "/integration/regions/list", "/sign-in", "/nowhere"):
            assert status_of(origin + path) == (503, "5")
        with embedded.serve(tmp_path, durable=False):
            assert server.origin == origin
            assert not any("error connecting in 'jobs'" in line for line in server.lines), "jobs wait too"
            assert status_of(f"{origin}/readyz") == (200, None)
            assert status_of(f"{origin}/sign-in") == (200, None)
            assert server.end(signal.SIGTERM) == 0


def test_worker_waits_for_its_database(away: str, tmp_path: Path) -> None:
    with started("worker", TONNAGE_DATABASE_URL=away) as worker:
        worker.wait_for("The database cannot be reached: .* Waiting for it")
        with embedded.serve(tmp_path, durable=False):
            worker.wait_for("Tonnage runs jobs")
            assert worker.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_it_can_be_stopped_while_it_waits(away: str, command: str) -> None:
    port = ("--port", "0") if command == "serve" else ()
    with started(command, *port, TONNAGE_DATABASE_URL=away) as waiting:
        waiting.wait_for("until the database" if command == "serve" else "Waiting for it")
        assert waiting.end(signal.SIGTERM) == 0


def test_a_database_that_comes_with_another_schema_ends_it(tmp_path: Path) -> None:
    with embedded.serve(tmp_path, durable=False) as (_, url):
        pass
    with started("serve", "--port", "0", TONNAGE_DATABASE_URL=url) as server:
        server.wait_for("until the database")
        with embedded.serve(tmp_path, durable=False):
            server.wait_for("Error: The database is at revision none")
            assert server.process.wait(60) == 1


def test_a_server_that_hangs_is_given_up_like_in_a_request() -> None:
    limits: list[WaitLimit] = []
    assert DatabaseCheck(lambda: limits.append(wait_limit.get())).passes()
    assert limits == [request_limit()]
