"""A server that root has started continues as the system user `tonnage`, once it has its port and its database."""

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

import tonnage
from tonnage.cli.context import key_file
from tonnage.config import Settings
from tonnage.embedded.account import server_account
from tonnage.embedded.directory import hand_over, stranger_in
from tonnage.embedded.errors import EmbeddedError

_log = logging.getLogger(__name__)


def drop_privileges(settings: Settings) -> None:
    """Gives the data directory to the user, and becomes that user, for good. Nothing happens to a process of another
    user than root.

    Where that user could not use the program, the keys or the data directory, the process stays root and says why.
    """
    if os.geteuid() != 0:
        return
    try:
        account = server_account()
    except EmbeddedError as error:
        _log.warning("This process stays root. %s", error)
        return
    data_dir = settings.data_dir.resolve()
    # The embedded server has taken its directory. Another one may be a mistyped /home, which is left as it is.
    if settings.database_url:
        with suppress(OSError):  # on a read-only disk it serves without one, as another user does
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if stranger_in(data_dir) is None:
                hand_over(data_dir, account)
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(account.gid)
    os.seteuid(account.uid)
    closed = _first_closed(settings)
    # The saved user id is still root's.
    os.seteuid(0)
    os.setegid(0)
    if closed is None:
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
        return
    os.setgroups(groups)
    _log.warning(
        "This process stays root: the user tonnage cannot use %s. Install Tonnage and keep its files where that user "
        "can read them, and its data where that user can write, or start it as another user than root.",
        closed,
    )


def _first_closed(settings: Settings) -> Path | None:
    """What the present user could not open later: modules and templates that are loaded late, its data, and keys."""
    program = [Path(sys.base_prefix), Path(sys.prefix), Path(tonnage.__file__)]
    needed = [(path, os.R_OK) for path in program]
    needed.append((settings.data_dir.resolve(), os.R_OK | os.W_OK | os.X_OK))
    if keys := key_file(settings):
        needed.append((keys, os.R_OK))
    return next(
        (path for path, mode in needed if _exists(path) and not os.access(path, mode, effective_ids=True)), None
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True
