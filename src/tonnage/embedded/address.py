"""How a client reaches the server: a URL, and a symbolic link where the directory's path is too long for a socket."""

import fcntl
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tonnage.config import DatabaseUrls
from tonnage.embedded.directory import Directory
from tonnage.embedded.errors import EmbeddedError
from tonnage.private_files import give_to_owner_of, open_private

DATABASE = "tonnage"

OWNER = "tonnage"
"""The role that owns the cluster and the tables."""

PROGRAM = "tonnage_app"
"""The role that the program logs in as."""

PORT = 5432
"""Only a part of the socket's name: no TCP port is ever opened."""

_LONGEST_SOCKET = 107


def urls(directory: Directory) -> DatabaseUrls:
    """The libpq URLs of the server, running or not. Raises FileNotFoundError before the first start has written the
    password.
    """
    owner = owner_url(directory)
    # A running server of an earlier version has not created the program's role.
    has_program = directory.program_password.exists()
    return DatabaseUrls(_url(directory, PROGRAM, directory.program_password) if has_program else owner, owner)


def owner_url(directory: Directory, database: str = DATABASE) -> str:
    """The URL of one of its databases, by the role that owns the cluster."""
    return _url(directory, OWNER, directory.password, database)


def _url(directory: Directory, role: str, password_file: Path, database: str = DATABASE) -> str:
    password = quote(password_file.read_bytes().strip(), safe="")
    folder = directory.run
    if directory.alias.exists():
        folder = Path(os.fsdecode(directory.alias.read_bytes())) / "run"
    return f"postgresql://{role}:{password}@/{database}?host={quote(os.fsencode(folder), safe='')}&port={PORT}"


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
    give_to_owner_of(directory.path, folder)
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
