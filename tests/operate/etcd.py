"""One etcd on loopback: through it the agents of Patroni agree on who leads."""

import shutil
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from testbed.ports import free_port
from tests.operate.guarded import PATIENCE, Guarded


class Etcd:
    """Runs from the start. Its data survive `kill` and `start`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._peer = free_port(), free_port()
        self._process: Guarded | None = None
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self._peer}"
        options = {
            "data-dir": self._folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
        }
        command = [shutil.which("etcd") or "etcd", *(f"--{name}={value}" for name, value in options.items())]
        log = self._folder / "etcd.log"
        self._process = Guarded(command, log, {})
        deadline = time.monotonic() + PATIENCE
        while not self._healthy(client):
            if time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.05)

    @staticmethod
    def _healthy(client: str) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{client}/health", timeout=2) as answer:
            return b'"true"' in answer.read()
        return False

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process = None
