"""A server that root has started continues as the system user `tonnage`, once it has its port and its database."""

import logging
import os
import sys
from pathlib import Path

import tonnage
from tonnage.cli.context import key_file
from tonnage.config import Settings
from tonnage.embedded.account import Account, server_account
from tonnage.embedded.directory import hand_over
from tonnage.embedded.errors import EmbeddedError

_log = logging.getLogger(__name__)


def drop_privileges(settings: Settings) -> None:
    """Gives the data directory to the user, and becomes that user, for good. Nothing happens to a process of another
    user than root.

    Where that user could not read the program, the keys or the data directory, the process stays root and says why.
    """
    if os.geteuid() != 0:
        return
    try:
        account = server_account()
    except EmbeddedError as error:
        _log.warning("This process stays root. %s", error)
        return
    if settings.data_dir.exists():
        hand_over(settings.data_dir.resolve(), account)
    os.setgroups([])
    os.setegid(account.gid)
    os.seteuid(account.uid)
    closed = [path for path in _needed(settings) if not os.access(path, os.R_OK, effective_ids=True)]
    # The saved user id is still root's.
    os.seteuid(0)
    os.setegid(0)
    if closed:
        _log.warning(
            "This process stays root: the user tonnage cannot read %s. Install Tonnage and keep its files where that "
            "user can read them, or start it as another user than root.",
            closed[0],
        )
        return
    _become(account)


def _become(account: Account) -> None:
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)


def _needed(settings: Settings) -> list[Path]:
    """What the process opens after its start: modules and templates that are loaded late, keys, and its data."""
    program = [Path(sys.base_prefix), Path(sys.prefix), Path(tonnage.__file__)]
    keys = key_file(settings)
    return [path for path in (*program, settings.data_dir.resolve(), keys) if path and _exists(path)]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True
