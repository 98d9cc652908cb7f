"""`tonnage usage`"""

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.cast import Cast
from tests.cli.command import Command
from tonnage.db import connect
from tonnage.usage.sample import PROGRESS_LINES

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def account(conninfo: str) -> int:
    return create_account(conninfo)


def create_account(conninfo: str) -> int:
    """An account created a month ago."""

    async def opened() -> int:
        async with connect(conninfo, size=1, streams=1) as database:
            cast = await Cast.of(database)
            cast.now = TODAY - timedelta(days=30)
            await cast.region()
            distributor = await cast.distributor()
            return await cast.account(await cast.partner(distributor, await cast.contract(distributor)))

    return asyncio.run(opened())


def lines(account: int, count: int = 3) -> str:
    times = (TODAY - timedelta(days=29) + timedelta(minutes=minute) for minute in range(count))
    return "account,time,bytes\n" + "".join(f"{account},{at:%Y-%m-%dT%H:%M:%SZ},{7 + at.minute}\n" for at in times)


def samples(conninfo: str, account: int) -> int:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("select count(*) from usage_sample where account_id = %s", [account]).fetchone()
    assert row is not None
    return row[0]


def test_a_file_is_imported_and_again_changes_nothing(conninfo: str, account: int, tmp_path: Path) -> None:
    tonnage, file = Command(conninfo), tmp_path / "usage.csv"
    file.write_text(lines(account))
    days = tonnage.json("usage", "import", str(file))
    assert (days["samples"], days["changed"], days["accounts"]) == (3, 3, 1)
    assert samples(conninfo, account) == 3
    again = tonnage.ok("usage", "import", str(file))
    assert again.startswith("Samples: 3, new or changed: 0,")


def test_a_file_for_an_account_on_a_cluster_needs_force(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with new_database() as conninfo:
        account, file = create_account(conninfo), tmp_path / "usage.csv"
        with psycopg.connect(conninfo) as conn:
            conn.execute("update region set backend = 'ceph', admin_url = 'http://rgw', connected_at = created_at")
        file.write_text(lines(account))
        assert "the account is on a storage cluster" in Command(conninfo).refused("usage", "import", str(file))
        assert samples(conninfo, account) == 0
        assert Command(conninfo).json("usage", "import", str(file), "--force")["changed"] == 3


def test_standard_input_is_a_file_too(conninfo: str, account: int) -> None:
    assert Command(conninfo).json("usage", "import", "-", stdin=lines(account))["changed"] == 3
    # A pipe, which cannot be rewound.
    whole = lines(account, 5).encode()
    done = subprocess.run(
        [sys.executable, "-m", "tonnage", "usage", "import", "-", "--database-url", conninfo],
        input=whole, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(b"Samples: 5, new or changed: 2,")
    assert done.stderr == b""


def test_wrong_lines_are_reported_and_nothing_is_applied(conninfo: str, account: int) -> None:
    tonnage = Command(conninfo)
    one = lines(account) + "123,2026-01-01,5\n"
    assert tonnage.refused("usage", "import", "-", stdin=one).splitlines() == [
        "Error: Nothing was recorded, because a line is wrong (line 5: the account must be a number of 12 digits)."
    ]
    two = one + f"{account},yesterday,5\n"
    said = tonnage.refused("usage", "import", "-", stdin=two).splitlines()
    assert [line.split(":")[0] for line in said] == ["line 5", "line 6", "Error"]
    assert samples(conninfo, account) == 0


def test_a_closed_day_is_corrected(new_database: Callable[[], AbstractContextManager[str]]) -> None:
    with new_database() as conninfo:
        account, tonnage = create_account(conninfo), Command(conninfo)
        day = f"{TODAY - timedelta(days=29):%Y-%m-%d}"
        refusal = tonnage.refused("usage", "correct", str(account), day, "1.5GB")
        assert "the day is open for readings" in refusal
        with psycopg.connect(conninfo) as conn:
            conn.execute("update usage_retention set readings_closed_before = %s", [TODAY - timedelta(days=28)])
        done = tonnage.ok("usage", "correct", str(account), day, "1.5GB")
        assert done.strip() == f"Corrected: storage account {account} used 1.5 GB (1500000000 bytes) on {day}."
        assert tonnage.ok("usage", "correct", str(account), day, "1.5GB").startswith("Unchanged: ")
        assert "closed" in tonnage.refused("usage", "import", "-", stdin=lines(account))
        assert "is not a size" in tonnage.misused("usage", "correct", str(account), day, "x")
        assert "does not match the format" in tonnage.misused("usage", "correct", str(account), "yesterday", "1GB")


def test_a_file_that_is_not_there_is_wrong_usage(conninfo: str, tmp_path: Path) -> None:
    assert "No such file" in Command(conninfo).misused("usage", "import", str(tmp_path / "none.csv"))
    assert "Missing argument" in Command(conninfo).misused("usage", "import")


def test_at_a_terminal_there_is_a_progress_bar(conninfo: str, account: int, tmp_path: Path) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(lines(account, PROGRESS_LINES + 1))
    shown = on_terminal([sys.executable, "-m", "tonnage", "usage", "import", str(file), "--database-url", conninfo])
    assert f"{PROGRESS_LINES + 2:,} lines read, recording" in shown


def on_terminal(command: list[str]) -> str:
    """The standard error of a command at a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # how Linux reports that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()
