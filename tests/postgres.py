"""A throw-away PostgreSQL of any version, for tests that must also pass on another one than the embedded."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from testbed.stopping import kill
from tests.processes import children


class Cluster:
    """Created with the programs in `programs`; listens on a socket only; `kill` simulates a power failure."""

    def __init__(self, programs: Path, *, durable: bool, within: Path | None = None) -> None:
        self._programs = programs
        self._settings = {} if durable else {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        # PostgreSQL does not run as root, and its user must be able to reach the folder: so it is not pytest's own.
        self._identity: dict[str, Any] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="tonnage-test-", dir=within))
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._process: subprocess.Popen[Any] | None = None
        made_so = ["-U", "tonnage", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        initdb = [programs / "initdb", "-D", self._folder / "data", *made_so]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", **self._identity)
        self.start()

    @property
    def folder(self) -> Path:
        """Of its socket."""
        return self._folder

    @property
    def url(self) -> str:
        return f"postgresql://tonnage@/postgres?host={self._folder}"

    def start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._folder), **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *options],
                stdout=log,
                stderr=log,
                cwd="/",
                **self._identity,
            )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url):
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.02)

    def kill(self) -> None:
        """Sends SIGKILL to the postmaster and to all of its children."""
        assert self._process is not None
        kill(self._process.pid, *children(self._process.pid))
        self._process.wait()

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
