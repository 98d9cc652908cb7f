"""Secrets at rest: the database holds them encrypted, a key file beside it holds the keys. Neither suffices alone.

The file is not cached: it is a few lines, and so every process sees the keys that a rotation has created.
"""

import hmac
import os
import stat
from base64 import urlsafe_b64decode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tonnage.private_files import open_private

_LOCK = 0x746F6E6B657973  # "tonkeys", as the number of an advisory lock
_CANARY = "canary"
_CANARY_TEXT = b"tonnage"

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class SealingError(Exception):
    """The keys cannot be used, or do not decrypt a stored secret. The message says what to do."""


@dataclass(frozen=True)
class Keys:
    """The keys of a file, newest first. The newest encrypts; each of them decrypts."""

    file: Path
    lines: tuple[bytes, ...] = field(repr=False)

    def seal(self, secret: bytes) -> bytes:
        """Encrypts with authentication: nobody without these keys can read the result, or change it undetected."""
        return self._fernet.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """The decrypted secret. Raises SealingError when none of the keys fits."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealingError(
                f"The keys in {self.file} do not decrypt the secrets of this database. Restore the key file that does."
            ) from error

    def hmacs(self, purpose: bytes, message: bytes) -> tuple[bytes, ...]:
        """The HMAC-SHA256 of a message under each of the keys, the newest first. One for another purpose differs."""
        return tuple(hmac.digest(hmac.digest(line, purpose, "sha256"), message, "sha256") for line in self.lines)

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another purpose than encryption. Others after a rotation."""
        return HKDF(SHA256(), 32, salt=None, info=purpose).derive(urlsafe_b64decode(self.lines[0]))

    @property
    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(line) for line in self.lines])


def read_keys(file: Path) -> Keys:
    """The keys of a file that only its owner may access, one per line. Raises SealingError."""
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            lines = opened.read().splitlines()
    except FileNotFoundError as error:
        raise SealingError(
            f"The key file {file} is missing. Restore it from a backup or, if the database holds no "
            "secrets yet, create one with: tonnage secret create"
        ) from error
    except OSError as error:
        raise SealingError(f"The key file {file} cannot be read: {error.strerror}.") from error
    if mode & 0o077:
        raise SealingError(f"Other users have access to the key file {file} (mode {mode:o}). Run: chmod 600 {file}")
    for number, line in enumerate(lines, 1):
        _check_key(file, number, line)
    keys = tuple(line.strip() for line in lines if line.strip())
    if not keys:
        raise SealingError(f"The key file {file} holds no key. Restore it from a backup.")
    return Keys(file, keys)


def _check_key(file: Path, number: int, line: bytes) -> None:
    try:
        if line.strip():
            Fernet(line.strip())
    except ValueError as error:
        raise SealingError(
            f"Line {number} of the key file {file} is not a key (32 bytes in URL-safe base64). Restore "
            "the file from a backup."
        ) from error


def create_key_file(file: Path) -> bool:
    """Creates a file with one new key, unless there is one already. Returns whether it did. Raises SealingError.

    Several processes may do this at once: one of them creates it, and none sees it half-written.
    """
    if os.path.lexists(file):
        return False
    with _writable(file):
        draft = file.with_name(f"{file.name}.{os.getpid()}.new")
        _write(draft, [Fernet.generate_key()], owner=None)
        try:
            # A link, unlike a rename, never replaces an existing file.
            os.link(draft, file)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        _sync_folder(file)
    return True


@contextmanager
def _writable(file: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SealingError(f"The key file {file} cannot be written: {error.strerror or error}.") from error


def _replace(keys: Keys, lines: list[bytes]) -> Keys:
    with _writable(keys.file):
        # The real file, if the name is a symbolic link; and with its owner unchanged when root rotates.
        file = keys.file.resolve()
        found = file.stat()
        draft = file.with_name(f"{file.name}.new")
        _write(draft, lines, owner=(found.st_uid, found.st_gid))
        draft.rename(file)
        _sync_folder(file)
    return Keys(keys.file, tuple(lines))


def _write(draft: Path, lines: list[bytes], owner: tuple[int, int] | None) -> None:
    draft.unlink(missing_ok=True)
    descriptor = open_private(draft, os.O_WRONLY | os.O_EXCL)
    with open(descriptor, "wb") as opened:
        created = os.fstat(descriptor)
        if owner is not None and owner != (created.st_uid, created.st_gid):
            os.fchown(descriptor, *owner)
        opened.writelines(line + b"\n" for line in lines)
        opened.flush()
        os.fsync(descriptor)


def _sync_folder(file: Path) -> None:
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def prepare(conn: Connection, file: Path | None, *, may_create: bool) -> None:
    """At the start of a process: checks that the keys decrypt the stored secrets, and stores the canary for that check.

    Without a file (None) nothing can be encrypted, and nothing may be stored. Raises SealingError. `may_create`: a
    missing file is created, but only while nothing is stored, since new keys could never decrypt the old secrets.
    """
    sealed = await count_sealed(conn)
    if file is None:
        if sealed:
            raise SealingError(
                "The database holds encrypted secrets. Set TONNAGE_SECRET_KEY_FILE to the file of their keys."
            )
        return
    if may_create and not sealed:
        create_key_file(file)
    keys = read_keys(file)
    await conn.execute(
        "insert into sealed_secret (name, ciphertext) values (%s, %s) on conflict do nothing",
        [_CANARY, keys.seal(_CANARY_TEXT)],
    )
    await fetch(conn, file, _CANARY)


async def count_sealed(conn: Connection) -> int:
    """The number of secrets in the database, including the canary."""
    row = await (await conn.execute("select count(*) from sealed_secret")).fetchone()
    return row[0] if row else 0


async def store(conn: Connection, file: Path, name: str, secret: bytes) -> None:
    """Encrypts a secret and stores it under a name, replacing any previous one; in the caller's transaction, if any."""
    async with conn.transaction():
        # The keys are read under the lock: a rotation in between might remove the very key that encrypts this.
        await conn.execute("select pg_advisory_xact_lock_shared(%s)", [_LOCK])
        await conn.execute(
            "insert into sealed_secret (name, ciphertext) values (%s, %s)"
            " on conflict (name) do update set ciphertext = excluded.ciphertext",
            [name, read_keys(file).seal(secret)],
        )


async def fetch(conn: Connection, file: Path, name: str) -> bytes | None:
    """The secret of that name; None if there is none. Raises SealingError when the keys do not decrypt it."""
    for last in (False, True):
        row = await (await conn.execute("select ciphertext from sealed_secret where name = %s", [name])).fetchone()
        if row is None:
            return None
        try:
            return read_keys(file).open(row[0])
        except SealingError:
            # A rotation may have re-encrypted the row and removed its old key since we read it; not twice, though.
            if last:
                raise
    raise AssertionError("not reached: the last try returns or raises")


async def discard(conn: Connection, name: str) -> None:
    """Deletes the secret of that name, if there is one."""
    await conn.execute("delete from sealed_secret where name = %s", [name])


async def open_all(conn: Connection, file: Path) -> int:
    """Decrypts every secret as a check; returns their number. SealingError names one that cannot be decrypted."""
    keys = read_keys(file)
    rows = await (await conn.execute('select name, ciphertext from sealed_secret order by name collate "C"')).fetchall()
    for name, sealed in rows:
        try:
            keys.open(sealed)
        except SealingError as error:
            raise SealingError(f"{error} (The secret that cannot be decrypted is {name}.)") from error
    return len(rows)


async def rotate(conn: Connection, file: Path, *, prune: bool) -> int:
    """Adds a new key at the top of the file and re-encrypts every secret with it; returns their number. Raises
    SealingError.

    `prune` removes the other keys. The order makes a power cut safe at any time, each step being durable before the
    next: the file gets the new key beside the old ones; the rows change, all or none; only then no row needs the old
    keys, and they may be removed. At any moment the file decrypts every row. Needs a connection in autocommit.
    """
    locked = await (await conn.execute("select pg_try_advisory_lock(%s)", [_LOCK])).fetchone()
    if locked != (True,):
        raise SealingError("Another process is encrypting the secrets. Nothing was changed. Try again.")
    try:
        keys = read_keys(file)
        # If the keys decrypt nothing here, a rotation would only hide the mistake.
        await open_all(conn, file)
        keys = _replace(keys, [Fernet.generate_key(), *keys.lines])
        count = await _reseal(conn, keys)
        if prune:
            # Our lock ends with our connection, and another rotation may have run since: its key must not be removed.
            if read_keys(file).lines != keys.lines:
                raise SealingError("The key file was changed during the rotation. The old keys were kept.")
            _replace(keys, [keys.lines[0]])
        return count
    finally:
        await conn.execute("select pg_advisory_unlock(%s)", [_LOCK])


async def _reseal(conn: Connection, keys: Keys) -> int:
    async with conn.transaction():
        # If the server could still lose the commit, the old rows would come back after their keys were removed.
        await conn.execute("set local synchronous_commit = on")
        rows = await (await conn.execute("select name, ciphertext from sealed_secret for update")).fetchall()
        for name, sealed in rows:
            again = keys.seal(keys.open(sealed))
            await conn.execute("update sealed_secret set ciphertext = %s where name = %s", [again, name])
    return len(rows)
