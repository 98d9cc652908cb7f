"""The data directory: its layout, its owner, and its lock."""

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
from tonnage.private_files import open_private

_BRIEFLY = "briefly"


@dataclass(frozen=True)
class Directory:
    """A data directory and the paths in it."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own files; owned by the server's user."""
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        """Contains the socket; owned by the server's user."""
        return self.path / "run"

    @property
    def alias(self) -> Path:
        """Contains the path of the folder with the link to the socket, if there is one."""
        return self.path / "run.alias"

    @property
    def password(self) -> Path:
        """The password of the role that owns the tables, one line."""
        return self.path / "postgres.password"

    @property
    def program_password(self) -> Path:
        """That of the role that the program logs in as."""
        return self.path / "tonnage_app.password"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.path / "postgres.log"

    @property
    def lock(self) -> Path:
        """Locked by the Tonnage process that runs the server; contains that process's id."""
        return self.path / "lock"

    @property
    def guests(self) -> Path:
        """Locked, shared, by every command that uses a server which it has not started."""
        return self.path / "guests.lock"

    @property
    def alive(self) -> Path:
        """Locked while any process of the server runs, whichever process started it."""
        return self.path / "postgres.lock"


@contextmanager
def claim(data_dir: Path, *, briefly: bool = False) -> Generator[tuple[Directory, Account]]:
    """Takes ownership of the directory, creates it if new, and holds its lock. Raises DirectoryInUse, EmbeddedError,
    OSError.

    `briefly` lets other processes know that they should wait.
    """
    directory, account = Directory(data_dir.resolve()), server_account()
    _take(directory, account)
    # os.open makes the descriptor non-inheritable: otherwise an orphaned server would keep this lock.
    holder = open_private(directory.lock, os.O_RDWR)
    try:
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, brief = os.pread(holder, 40, 0).decode().strip().partition(" ")
            raise DirectoryInUse(
                f"{directory.path} is in use by another Tonnage, process "
                f"{pid or 'that is just starting'}. Stop it first, or use another data directory.",
                briefly=brief == _BRIEFLY,
            ) from None
        os.ftruncate(holder, 0)
        os.pwrite(holder, f"{os.getpid()}{f' {_BRIEFLY}' if briefly else ''}\n".encode(), 0)
        yield directory, account
    finally:
        os.close(holder)


def served_for_good(directory: Directory) -> bool:
    """Whether the last holder of this directory was a `serve` and not a command. Read from the text of the lock file,
    since trying the lock would keep out a process that takes it at that moment.
    """
    try:
        pid, _, brief = directory.lock.read_text("ascii").strip().partition(" ")
    except FileNotFoundError:
        return False
    return bool(pid) and brief != _BRIEFLY


def new_password(file: Path) -> None:
    """Writes a new password, completely or not at all."""
    draft = file.with_name(f"{file.name}.new")
    descriptor = open_private(draft, os.O_WRONLY | os.O_TRUNC)
    with open(descriptor, "w", encoding="ascii") as written:
        written.write(f"{secrets.token_urlsafe(32)}\n")
        written.flush()
        os.fsync(descriptor)
    draft.rename(file)


def sync_folder(path: Path) -> None:
    """Makes renames in this folder durable in a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take(directory: Directory, account: Account) -> None:
    path = directory.path
    path.mkdir(parents=True, exist_ok=True)
    if path.stat().st_mode & 0o700 != 0o700:
        path.chmod(0o700)  # The folder was created with a umask that removes even the owner's permissions.
    # Two concurrent first starts both get here. Each creates in this order: owned directory, lock, anything else.
    # Checking in the reverse order never takes the half-finished work of the other one for foreign files.
    served = directory.cluster.exists()
    found = path.stat()
    if (stranger := stranger_in(path)) and not directory.lock.exists():
        # The next steps change the folder's mode; with a mistyped --data-dir /home that would lock out all users.
        raise EmbeddedError(
            f"{path} is not a data directory of Tonnage and not empty (it holds {stranger}). Choose an "
            "empty or new folder."
        )
    if found.st_uid not in {os.geteuid(), account.uid} and (not account.other or served):
        raise EmbeddedError(
            f"{path} belongs to uid {found.st_uid}, but Tonnage runs as uid {os.geteuid()}. Run "
            f"Tonnage as that user, or change the owner: chown -R {os.geteuid()} {path}"
        )
    hand_over(path, account)


def hand_over(path: Path, account: Account) -> None:
    """Closes a data directory to other users, and gives it and what root has created in it to `account`."""
    found = path.stat()
    if (found.st_uid, stat.S_IMODE(found.st_mode)) == (account.uid, 0o700):
        return
    if account.other:
        for entry in os.scandir(path):
            made = entry.stat(follow_symlinks=False)
            # A hard link could be the name of a file elsewhere.
            if stat.S_ISREG(made.st_mode) and made.st_uid == 0 and made.st_nlink == 1:
                os.chown(entry.path, account.uid, account.gid, follow_symlinks=False)
        # Last, so that the next start continues after an interruption.
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)


def stranger_in(path: Path) -> str | None:
    """The name of something in a folder that is not of a data directory without a cluster; None if there is nothing."""
    # Secrets may be put there before the first start, and a new volume has its lost+found.
    for entry in path.iterdir():
        try:
            found = entry.lstat()
        except FileNotFoundError:
            continue
        private = stat.S_ISREG(found.st_mode) and not found.st_mode & 0o077
        if not private and entry.name != "lost+found":
            return entry.name
    return None
