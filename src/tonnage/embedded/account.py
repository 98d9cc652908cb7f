"""The system user PostgreSQL runs as, because it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import TypedDict

from tonnage.embedded.errors import EmbeddedError

_NAME = "tonnage"


class Privileges(TypedDict, total=False):
    """Keyword arguments of `subprocess` that switch the user; empty when there is nobody to switch to."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who the server runs as, and whether that is somebody else than this process."""

    uid: int
    gid: int
    other: bool

    @property
    def privileges(self) -> Privileges:
        """What to hand to `subprocess` so that the child is this user and has none of our groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}


def server_account() -> Account:
    """For root the system user `tonnage`, created when missing; for anybody else oneself. Raises EmbeddedError."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    entry = _find() or _create()
    if entry.pw_uid == 0:
        raise EmbeddedError(f"The user {_NAME} has uid 0, and PostgreSQL refuses to run as root; give it another uid.")
    return Account(entry.pw_uid, entry.pw_gid, other=True)


def _find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    # A login shell of root's need not have /usr/sbin in its PATH (su without a dash on Debian).
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if useradd is None:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and there is no useradd here to make a user for it; "
            f"create a system user named {_NAME}, or run Tonnage as an ordinary user."
        )
    options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--user-group"]
    made = subprocess.run([useradd, *options, _NAME], capture_output=True, text=True, check=False)  # noqa: S603
    # Two first starts at once: the loser's useradd fails, and the user is there all the same.
    entry = _find()
    if entry is None:
        raise EmbeddedError(f"useradd could not create the system user {_NAME}: {made.stderr.strip()}")
    return entry
