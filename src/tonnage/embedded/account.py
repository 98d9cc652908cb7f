"""The system user that PostgreSQL runs as, because it refuses to run as root."""

import fcntl
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import TypedDict

from tonnage.embedded.errors import EmbeddedError

_NAME = "tonnage"


class Privileges(TypedDict, total=False):
    """Keyword arguments of `subprocess` that switch the user; empty when no switch is needed."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user that the server runs as."""

    uid: int
    gid: int

    @property
    def other(self) -> bool:
        """Whether this process is another user."""
        return self.uid != os.geteuid()

    @property
    def privileges(self) -> Privileges:
        """The arguments for `subprocess`, so that the child runs as this user and has none of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}


def server_account() -> Account:
    """For root the system user `tonnage`, created when missing; for any other user that user itself. Raises
    EmbeddedError.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = _find() or _create()
    if entry.pw_uid == 0:
        raise EmbeddedError(
            f"The user {_NAME} has uid 0, and PostgreSQL refuses to run as root. Give the user another uid."
        )
    return Account(entry.pw_uid, entry.pw_gid)


def _find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    # The PATH of a root shell that is not a login shell may lack /usr/sbin (su without a dash on Debian).
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and useradd is not available to create a user for it. "
            f"Create a system user named {_NAME}, or run Tonnage as an ordinary user."
        )
    # Two first starts at once: useradd looks for the name before it takes its own lock, so the second one would give
    # the user another uid, and the first server's files to nobody.
    with open("/etc/passwd", "rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        return _find() or _made_by(useradd)


def _made_by(useradd: str) -> pwd.struct_passwd:
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--user-group"]
    made = subprocess.run([useradd, *options, _NAME], capture_output=True, text=True, check=False)  # noqa: S603
    entry = _find()
    if entry is None:
        raise EmbeddedError(f"useradd could not create the system user {_NAME}: {made.stderr.strip()}")
    return entry
