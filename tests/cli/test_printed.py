"""Output that cannot be written, and changes that the database refuses: each ends with one sentence."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.cast import unique
from tests.cli.command import Command
from tests.cli.running import environment
from tests.roles import as_owner
from tonnage.cli.error_messages import READ_ONLY, error_message

Databases = Callable[[], AbstractContextManager[str]]


def _run(
    conninfo: str, *arguments: str, stdout: Path | None = None, settings: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Exit status, output and errors of a process."""
    command = [sys.executable, "-m", "tonnage", *arguments]
    with open(stdout or "/dev/null", "wb") as file:
        done = subprocess.run(
            command,
            env=environment(**(settings or {}), TONNAGE_DATABASE_URL=conninfo),
            stdout=file if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=90,
        )
    return done.returncode, done.stdout or "", done.stderr


def test_a_terminal_that_knows_ascii_alone(conninfo: str) -> None:
    name = unique("Größe")
    Command(conninfo).ok("distributor", "create", name)
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    status, out, errors = _run(conninfo, "distributor", "list", settings=ascii_alone)
    assert (status, errors) == (0, "")
    assert name.encode("ascii", "backslashreplace").decode() in out


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("audit", "list", "--json"), ("audit", "list")])
def test_a_full_disk(conninfo: str, arguments: tuple[str, ...], unbuffered: str) -> None:
    Command(conninfo).distributor()
    status, _, errors = _run(conninfo, *arguments, stdout=Path("/dev/full"), settings={"PYTHONUNBUFFERED": unbuffered})
    assert errors == "Error: The output could not be written: No space left on device.\n"
    assert status == 1


def test_a_read_only_database(conninfo: str) -> None:
    replica = make_conninfo(conninfo, options="-c default_transaction_read_only=on")
    sentence = f"Error: {READ_ONLY}\n"
    for command in (("serve", "--port", "0"), ("worker",)):
        assert _run(replica, *command) == (1, "", sentence)


def test_a_change_of_a_read_only_database(new_database: Databases) -> None:
    with new_database() as conninfo:
        with psycopg.connect(as_owner(conninfo), autocommit=True) as conn:
            name = conn.info.dbname
            conn.execute(f'alter database "{name}" set default_transaction_read_only = on'.encode())
        assert Command(conninfo).refused("distributor", "create", "Late") == f"Error: {READ_ONLY}\n"
        assert Command(conninfo).json("region", "list") == []


def test_a_number_beyond_the_database(conninfo: str) -> None:
    sentence = "Error: The database does not accept this value: bigint out of range.\n"
    assert Command(conninfo).refused("audit", "list", "--limit", "9" * 20) == sentence


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory") as error:
        tmp_path.open()
    assert error_message(error.value) == f"{tmp_path} cannot be used: Is a directory."
