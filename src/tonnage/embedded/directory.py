"""The data directory: what lies where, whose it is, and who holds it."""

import fcntl
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tonnage.embedded.account import Account, server_account
from tonnage.embedded.errors import DirectoryInUse, EmbeddedError

_BRIEFLY = "briefly"


@dataclass(frozen=True)
class Directory:
    """A data directory and the names in it."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own files; belongs to the server's user."""
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        """Holds the socket; belongs to the server's user."""
        return self.path / "run"

    @property
    def alias(self) -> Path:
        """Names the folder with a short way to the socket, when there is one."""
        return self.path / "run.alias"

    @property
    def password(self) -> Path:
        """The database role's password, one line."""
        return self.path / "postgres.password"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.path / "postgres.log"

    @property
    def lock(self) -> Path:
        """Locked by the Tonnage that runs the server; its text is that process's id."""
        return self.path / "lock"

    @property
    def guests(self) -> Path:
        """Locked, shared, by every command that uses a server which it has not started."""
        return self.path / "guests.lock"

    @property
    def alive(self) -> Path:
        """Locked as long as any process of the server lives, whoever started it."""
        return self.path / "postgres.lock"


@contextmanager
def claim(data_dir: Path, *, briefly: bool = False) -> Generator[tuple[Directory, Account]]:
    """Make the directory ours, create it if new, and hold its lock. Raises DirectoryInUse, EmbeddedError, OSError.

    `briefly` tells others that waiting is worth while.
    """
    directory, account = Directory(data_dir.resolve()), server_account()
    _take(directory, account)
    # os.open leaves the descriptor uninheritable: an orphaned server would otherwise keep this lock for us.
    holder = open_private(directory.lock, os.O_RDWR)
    try:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, brief = os.pread(holder, 40, 0).decode().strip().partition(" ")
            raise DirectoryInUse(
                f"{directory.path} is in use by another Tonnage, process {pid or 'that is just starting'}; "
                f"stop that one first, or give this one a directory of its own.",
                briefly=brief == _BRIEFLY,
            ) from None
        os.ftruncate(holder, 0)
        os.pwrite(holder, f"{os.getpid()}{f' {_BRIEFLY}' if briefly else ''}\n".encode(), 0)
        yield directory, account
    finally:
        os.close(holder)


def served_for_good(directory: Directory) -> bool:
    """Whether the last who held this directory was no mere command. By its text, since trying the lock would keep out
    whoever takes it at that moment.
    """
    try:
        pid, _, brief = directory.lock.read_text("ascii").strip().partition(" ")
    except FileNotFoundError:
        return False
    return bool(pid) and brief != _BRIEFLY


def open_private(path: Path, flags: int) -> int:
    """Open, or create for its owner alone whatever the umask, a file of the data directory; never through a link."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def new_password(directory: Directory, account: Account) -> None:
    """Write a fresh password, whole or not at all. The server's user owns it: initdb must read it from a file."""
    draft = directory.path / "postgres.password.new"
    descriptor = open_private(draft, os.O_WRONLY | os.O_TRUNC)
    with open(descriptor, "w", encoding="ascii") as file:
        os.fchown(descriptor, account.uid, account.gid)
        file.write(f"{secrets.token_urlsafe(32)}\n")
        file.flush()
        os.fsync(descriptor)
    draft.rename(directory.password)


def sync_folder(path: Path) -> None:
    """Make renames in this folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take(directory: Directory, account: Account) -> None:
    path = directory.path
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_mode & 0o700 != 0o700:
        path.chmod(0o700)  # Made under a umask that takes even the owner's rights.
    # Of two first starts at once both are here. Each makes in this order: directory ours, lock, anything else.
    # Looking in the reverse order never takes the other's half-done work for a stranger's.
    served = directory.cluster.exists()
    found = path.stat()
    if (stranger := _stranger(path)) and not directory.lock.exists():
        # What follows changes the folder's mode; with a mistyped --data-dir /home that would lock everybody out.
        raise EmbeddedError(
            f"{path} is not a data directory of Tonnage and not empty (it holds {stranger}); "
            f"name an empty or new folder."
        )
    if found.st_uid != os.geteuid() and (not account.other or served):
        raise EmbeddedError(
            f"{path} belongs to uid {found.st_uid}, and Tonnage runs as uid {os.geteuid()}; run it as that user, "
            f"or make the directory over with: chown -R {os.geteuid()} {path}"
        )
    # Root keeps the directory itself, so that the server's user can pass through it and plant nothing in it.
    mode = 0o710 if account.other else 0o700
    group = account.gid if account.other else found.st_gid
    if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) != (os.geteuid(), group, mode):
        os.chown(path, os.geteuid(), group)
        path.chmod(mode)


def _stranger(path: Path) -> str | None:
    # Secrets may be put there before the first start, and a fresh volume has its lost+found.
    for entry in path.iterdir():
        try:
            found = entry.lstat()
        except FileNotFoundError:
            continue
        private = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
        if not private and entry.name != "lost+found":
            return entry.name
    return None
