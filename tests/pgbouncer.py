"""A PgBouncer in front of a server of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres import Cluster
from tonnage.embedded.account import server_account
from tonnage.embedded.binaries import programs

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
ABSENT = "" if PROGRAM else "PgBouncer is missing: apt-get install --no-install-recommends pgbouncer"


class Pooler:
    """`switch` changes its mode, which ends all connections."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        # As the server: it does not run as root.
        self._identity: dict[str, Any] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="tonnage-test-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._process: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://tonnage@/postgres?host={self._folder}&port=6432"

    def start(self, mode: str) -> None:
        users, settings = self._folder / "users", self._folder / "settings"
        users.write_text('"tonnage" ""\n')
        settings.write_text(
            f"[databases]\npostgres = host={self._cluster.folder} dbname=postgres user=tonnage\n"
            f"[pgbouncer]\npool_mode = {mode}\nunix_socket_dir = {self._folder}\nlisten_addr =\nlisten_port = 6432\n"
            f"auth_type = trust\nauth_file = {users}\nmax_client_conn = 200\ndefault_pool_size = 50\n"
        )
        assert PROGRAM
        process = self._process = subprocess.Popen(
            [PROGRAM, settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self._identity
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.url, connect_timeout=5):
                    return
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def pooled_server(folder: Path) -> Generator[Pooler]:
    """A server with an empty database behind a pooler that does not run yet."""
    cluster = Cluster(programs(folder, server_account()), durable=False)
    pooler = Pooler(cluster)
    try:
        yield pooler
    finally:
        pooler.remove()
        cluster.remove()
