"""How a client reaches the server: a URL, and a symbolic link where the directory's path is too long for a socket."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tonnage.embedded.directory import Directory, open_private
from tonnage.embedded.errors import EmbeddedError

DATABASE = "tonnage"
"""The name of the database and of the role that owns it."""

PORT = 5432
"""Only a part of the socket's name: no TCP port is ever opened."""

_LONGEST_SOCKET = 107


def url(directory: Directory, database: str = DATABASE) -> str:
    """The libpq URL of the server, running or not. Raises FileNotFoundError before the first start has written the
    password.
    """
    password = quote(directory.password.read_bytes().strip(), safe="")
    folder = directory.run
    if directory.alias.exists():
        folder = Path(os.fsdecode(directory.alias.read_bytes())) / "run"
    return f"postgresql://{DATABASE}:{password}@/{database}?host={quote(os.fsencode(folder), safe='')}&port={PORT}"


def connect(address: str) -> psycopg.Connection:
    """A connection in autocommit. Raises psycopg.OperationalError after five seconds at most."""
    return psycopg.connect(address, autocommit=True, connect_timeout=5)


@contextmanager
def short_way(directory: Directory) -> Generator[None]:
    """Where clients cannot use the socket's path, provides a link in a private temporary folder, while this context
    lasts.

    The path of a UNIX socket is limited to 107 bytes, and libpq takes a comma in `host` for a list. The server itself
    binds to a relative path and is not affected.
    """
    _remove_alias(directory)
    if _nameable(directory.run):
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="tonnage-"))
    # systemd-tmpfiles deletes from /tmp what is ten days old, but spares a folder with a lock on it.
    guard = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(guard, fcntl.LOCK_SH)
        (folder / "run").symlink_to(directory.run)
        with open(open_private(directory.alias, os.O_WRONLY | os.O_TRUNC), "wb") as record:
            record.write(os.fsencode(folder))
        if not _nameable(folder / "run"):
            raise EmbeddedError(
                f"{directory.path} and {folder} are both too long for a socket. Set TMPDIR to a shorter path."
            )
        yield
    finally:
        os.close(guard)
        _remove_alias(directory)


def _nameable(folder: Path) -> bool:
    name = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(name) <= _LONGEST_SOCKET and b"," not in name


def _remove_alias(directory: Directory) -> None:
    if not directory.alias.exists():
        return
    folder = Path(os.fsdecode(directory.alias.read_bytes()))
    link = folder / "run"
    # After a reboot the name may be another user's folder: only a link to our own socket folder is ours.
    if link.is_symlink() and link.readlink() == directory.run:
        link.unlink()
        folder.rmdir()
    directory.alias.unlink()
