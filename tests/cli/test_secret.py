import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from click.testing import Result
from cryptography.fernet import Fernet

from tests.cli.running import started, tonnage
from tonnage import sealing
from tonnage.sealing import SealingError

T = TypeVar("T")

Databases = Callable[[], AbstractContextManager[str]]


def key_file(path: Path, *lines: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("lines", "mode", "sentence"),
    [
        ([Fernet.generate_key()], 0o640, "Other users have access to the key file"),
        ([Fernet.generate_key(), b"", b"not a key"], 0o600, "Line 3 of the key file"),
        ([], 0o600, "holds no key"),
    ],
)
def test_an_unusable_key_file(tmp_path: Path, lines: list[bytes], mode: int, sentence: str) -> None:
    with pytest.raises(SealingError, match=sentence):
        sealing.read_keys(key_file(tmp_path / "key", *lines, mode=mode))


def test_a_key_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SealingError, match="is missing"):
        sealing.read_keys(tmp_path / "key")


def test_the_newest_key_seals_and_every_key_opens(tmp_path: Path) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    before = sealing.read_keys(key_file(tmp_path / "old", old))
    after = sealing.read_keys(key_file(tmp_path / "both", new, old))
    assert after.open(before.seal(b"secret")) == b"secret"
    with pytest.raises(SealingError, match="do not decrypt"):
        before.open(after.seal(b"secret"))
    assert old.decode() not in repr(before)


class Secrets:
    """A database with a secret, and its key file."""

    def __init__(self, conninfo: str, file: Path) -> None:
        self.conninfo = conninfo
        self.file = file
        self.environment = {"TONNAGE_DATABASE_URL": conninfo, "TONNAGE_SECRET_KEY_FILE": str(file)}

    def command(self, *arguments: str) -> Result:
        return tonnage(*arguments, **self.environment)

    async def _do(self, work: Callable[[sealing.Connection], Awaitable[T]]) -> T:
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as conn:
            return await work(conn)

    def store(self) -> None:
        asyncio.run(self._do(lambda conn: sealing.store(conn, self.file, "backend", b"secret")))

    def fetch(self) -> bytes | None:
        return asyncio.run(self._do(lambda conn: sealing.fetch(conn, self.file, "backend")))

    @property
    def keys(self) -> list[bytes]:
        return self.file.read_bytes().splitlines()


def test_made_once_renewed_and_pruned(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        secrets = Secrets(conninfo, tmp_path / "key")
        assert "is missing" in secrets.command("secret", "rotate").stderr
        assert secrets.command("secret", "create").exit_code == 0
        assert secrets.command("secret", "create").exit_code == 1
        first = secrets.keys
        secrets.store()
        assert secrets.command("secret", "rotate").exit_code == 0
        assert secrets.keys[1:] == first
        second = secrets.keys[0]
        assert secrets.fetch() == b"secret"
        result = secrets.command("secret", "rotate", "--prune")
        assert (result.exit_code, "all 2 secrets" in result.output) == (0, True)
        assert len(secrets.keys) == 1
        assert secrets.keys[0] not in (*first, second)
        assert secrets.fetch() == b"secret"
        assert secrets.file.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["key"]
        secrets.file.unlink()
        assert "cannot decrypt" in secrets.command("secret", "create").stderr


def test_keys_of_another_database_are_refused(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        secrets = Secrets(conninfo, tmp_path / "key")
        secrets.command("secret", "create")
        secrets.store()
        secrets.command("secret", "rotate")
        kept = secrets.keys
        key_file(secrets.file, Fernet.generate_key())
        for arguments in (("serve", "--port", "0"), ("secret", "rotate", "--prune")):
            refused = tonnage(*arguments, **secrets.environment)
            assert refused.exit_code == 1
            assert "do not decrypt the secrets of this database" in refused.stderr
        examined = secrets.command("doctor")
        assert examined.exit_code == 1
        assert "FAIL secrets: The keys in" in examined.output
        key_file(secrets.file, *kept)
        assert "ok   secrets: the keys in" in secrets.command("doctor").output


def test_a_rotation_that_is_killed_half_way_loses_nothing(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        secrets = Secrets(conninfo, tmp_path / "key")
        secrets.command("secret", "create")
        secrets.store()
        with psycopg.connect(conninfo) as holder, psycopg.connect(conninfo, autocommit=True) as observer:
            holder.execute("select from sealed_secret for update")
            with started("secret", "rotate", "--prune", **secrets.environment) as rotation:
                deadline = time.monotonic() + 60
                while (
                    observer.execute(
                        "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
                    ).fetchone()
                    is None
                ):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                concurrent = secrets.command("secret", "rotate")
                assert (concurrent.exit_code, "Another process is encrypting" in concurrent.stderr) == (1, True)
                rotation.end(signal.SIGKILL)
        assert len(secrets.keys) == 2, "the file was changed, the rows were not"
        assert secrets.fetch() == b"secret"
        assert secrets.command("secret", "rotate", "--prune").exit_code == 0
        assert len(secrets.keys) == 1
        assert secrets.fetch() == b"secret"
