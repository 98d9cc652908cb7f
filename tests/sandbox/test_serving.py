"""`tonnage serve --sandbox`, in a real process; and what it refuses."""

import json
import logging
import signal
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cli.running import started, tonnage
from tests.sandbox.sandboxes import at
from tonnage.cli.context import of_sandbox
from tonnage.cli.mailer import mailer
from tonnage.config import Settings
from tonnage.mail import Message
from tonnage.sandbox_clock import SandboxClock

pytestmark = pytest.mark.anyio


def test_from_its_first_start_to_its_second(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with new_database() as conninfo:
        place = ("--database-url", conninfo, "--data-dir", tmp_path)
        with started("serve", "--sandbox", "--at", "2026-11-01", "--port", "0", *place) as server:
            assert server.origin
            server.wait_for("its clock stands at 2026-11-01 00:00:00 UTC")
            server.wait_for("Bearer ")
            kept = json.loads((tmp_path / "sandbox.json").read_bytes())
            assert list(kept) == ["base_url", "keys", "members"]
            assert kept["base_url"] == f"{server.origin}/v1"
            advanced = tonnage("sandbox", "advance", "2026-11-03", *place)
            assert advanced.stdout == "The clock of this sandbox is at 2026-11-03T00:00:00Z.\n", advanced.stderr
            assert server.end(signal.SIGTERM) == 0
        # Also without the option it is a sandbox.
        with started("serve", "--port", "0", *place) as server:
            with urllib.request.urlopen(f"{server.origin}/sign-in") as page:
                assert "Its date is 3 Nov 2026" in page.read().decode()
            assert server.end(signal.SIGTERM) == 0
        doctor = tonnage("doctor", *place)
        assert "sandbox: its clock stands at 2026-11-03T00:00:00Z" in doctor.stdout
        assert "FAIL" not in doctor.stdout


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--sandbox", "--demo"), "exclude each other"),
        (("--at", "2026-11-01"), "give --sandbox too"),
        (("--sandbox", "--at", "soon"), "is not a day"),
    ],
)
def test_what_it_refuses(options: tuple[str, ...], why: str, tmp_path: Path) -> None:
    refused = tonnage("serve", *options, "--port", "0", "--data-dir", tmp_path / "data")
    assert refused.exit_code == 2
    assert why in refused.stderr
    assert not (tmp_path / "data").exists()


def test_its_directory_is_never_that_of_another_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TONNAGE_DATA_DIR", raising=False)
    ordinary = Settings()
    assert of_sandbox(ordinary).data_dir == ordinary.data_dir.with_name("tonnage-sandbox")
    monkeypatch.setenv("TONNAGE_DATA_DIR", str(tmp_path))
    assert of_sandbox(Settings()).data_dir == tmp_path
    assert of_sandbox(Settings(data_dir=tmp_path / "given")).data_dir == tmp_path / "given"


async def test_its_mails_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(smtp_url="smtp://127.0.0.1:1", mail_from="console@example.com")
    outgoing = mailer(settings, "http://127.0.0.1:8080", SandboxClock(at("2026-11-01")))
    with caplog.at_level(logging.INFO, logger="tonnage.mail"):
        await outgoing.outbox.send(Message("ann@example.org", "A subject", "A text"))
    assert "A text" in caplog.text
