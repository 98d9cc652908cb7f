"""PostgreSQL's own files: created completely or not at all, and owned by the server's user."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

from tonnage.embedded.account import Account
from tonnage.embedded.address import OWNER
from tonnage.embedded.binaries import ENVIRONMENT, major_version
from tonnage.embedded.directory import Directory, new_password, sync_folder
from tonnage.embedded.errors import EmbeddedError

HERE = "/proc/self/cwd"
"""The path by which the cluster's server refers to it. The child enters the folder while it is still root, then changes
user: so that user needs no access to the parent folders. A plain `.` does not work, PostgreSQL would make it absolute.
"""

_HBA = "# Only the socket, only with the password.\nlocal all all scram-sha-256\n"


def prepare(directory: Directory, programs: Path, account: Account, *, durable: bool) -> None:
    """Ensures that the cluster exists, fits these programs and belongs to `account`. Raises EmbeddedError, OSError."""
    if not directory.cluster.exists():
        _initialise(directory, programs, account, durable=durable)
    _check_version(directory, programs)
    if not directory.password.exists():
        raise EmbeddedError(
            f"{directory.password} is missing, and the PostgreSQL cluster beside it needs it. Restore it from a backup."
        )
    _hand_over(directory.cluster, account)


def _initialise(directory: Directory, programs: Path, account: Account, *, durable: bool) -> None:
    # initdb takes a second, and a power cut may happen during it: a folder that is not renamed does not count.
    draft = directory.path / "postgres.new"
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir()
    draft.chmod(0o700)
    os.chown(draft, account.uid, account.gid)
    new_password(directory.password)
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = [f"--username={OWNER}", "--auth=scram-sha-256", f"--pwfile=../{directory.password.name}"]
    command = [programs / "initdb", "-D", HERE, *locale, *access, *([] if durable else ["--no-sync"])]
    said = subprocess.run(  # noqa: S603
        command,
        cwd=draft,
        env=ENVIRONMENT,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
        **account.privileges,
    )
    if said.returncode != 0:
        raise EmbeddedError(f"initdb could not create the database in {directory.path}: {said.stderr.strip()}")
    with open(os.open(draft / "pg_hba.conf", os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w", encoding="ascii") as file:
        file.write(_HBA)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(directory.cluster)
    sync_folder(directory.path)


def _check_version(directory: Directory, programs: Path) -> None:
    try:
        made_by = (directory.cluster / "PG_VERSION").read_text("ascii").strip()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{directory.cluster} is not a PostgreSQL cluster (it has no PG_VERSION). Restore it from a "
            "backup, or move it away."
        ) from None
    ours = major_version(programs)
    if made_by != str(ours):
        raise EmbeddedError(
            f"{directory.cluster} was created by PostgreSQL {made_by}, but this version of Tonnage uses "
            f"PostgreSQL {ours}. Dump it with the version of Tonnage that created it and restore it into a "
            "new directory, or run pg_upgrade."
        )


def _hand_over(cluster: Path, account: Account) -> None:
    """Changes the owner: a restored backup, or one from another machine, belongs to whichever user had that number
    there.
    """
    found = cluster.stat()
    if found.st_uid != account.uid:
        # By descriptor and never through a link, since another user could write to the tree. The top folder comes last:
        # after an interruption the next start does it again.
        for _, folders, files, parent in os.fwalk(cluster, topdown=False):
            for name in (*folders, *files):
                os.chown(name, account.uid, account.gid, dir_fd=parent, follow_symlinks=False)
        os.chown(cluster, account.uid, account.gid)
    if stat.S_IMODE(found.st_mode) not in (0o700, 0o750):
        cluster.chmod(0o700)
