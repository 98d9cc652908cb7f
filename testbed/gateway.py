"""A throw-away Ceph with one RADOS gateway: a monitor, an OSD in memory and radosgw, as plain processes on loopback.

No manager, systemd or block device, and no root. 1.5 s to start, some 135 MB while it runs.
"""

import base64
import contextlib
import os
import secrets
import shutil
import signal
import struct
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from testbed.ceph_conf import CONF
from testbed.ports import free_port
from testbed.stopping import stop

_PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin", "setpriv")

ABSENT = (
    None
    if all(map(shutil.which, _PROGRAMS))
    else "The storage backend was not tested on a real Ceph gateway. To test it: apt-get install "
    "--no-install-recommends ceph-mon ceph-osd radosgw ceph-common"
)

ADMIN = "tonnage-admin"
CAPABILITIES = "users=*;usage=*"
_PATIENCE = 60.0


class Gateway:
    """All files are in `folder`; its path may be long. `remove` ends the processes, as does the end of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._conf = folder / "ceph.conf"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        # These change what the programs do, CEPH_ARGS even the paths; the last two break `ceph`, a Python script.
        foreign = {"CEPH_ARGS", "CEPH_CONF", "PYTHONPATH", "PYTHONHOME"}
        self._environment = {name: value for name, value in os.environ.items() if name not in foreign}
        self.port = free_port()
        self.access_key, self.secret_key = secrets.token_hex(10).upper(), secrets.token_hex(20)
        try:
            self._build()
        except BaseException:
            self.remove()
            raise

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _build(self) -> None:
        for name in ("mon", "osd", "rgw", "log", "crash"):
            (self._folder / name).mkdir()
        cluster, osd = str(uuid.uuid4()), str(uuid.uuid4())
        (self._folder / "keyring").write_text(_keyring())
        self._start_monitor(cluster)
        self._run("ceph", "--connect-timeout", "10", "osd", "new", osd)  # waits for the monitor's quorum
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._spawn("osd", "ceph-osd", "-i", "0")
        self.start()
        self.admin("user", "create", "--uid", ADMIN, "--display-name", ADMIN, "--caps", CAPABILITIES,
                   "--access-key", self.access_key, "--secret-key", self.secret_key)  # fmt: skip

    def _start_monitor(self, cluster: str) -> None:
        port = free_port()
        # Debian's Ceph 18 has this path without its /usr, and its OSD looks for it in the working directory.
        built_in = self._run("ceph-osd", "-c", "/dev/null", "--show-config-value", "osd_class_dir", conf=False)
        values = {"cluster": cluster, "monitor": port, "gateway": self.port, "classes": Path("/usr", built_in.strip())}
        self._conf.write_text(CONF.format(folder=self._folder, **values))
        # With `mon host` alone a monitor binds the well-known ports, in spite of the configuration.
        arguments = [
            "--addv",
            "a",
            f"[v2:127.0.0.1:{port}]",
            "--enable-all-features",
            "--set-min-mon-release",
            "pacific",
        ]
        self._run("monmaptool", "--create", "--fsid", cluster, *arguments, str(self._folder / "monmap"), conf=False)
        made = ["--monmap", str(self._folder / "monmap"), "--keyring", str(self._folder / "keyring")]
        self._run("ceph-mon", "-i", "a", "--mkfs", *made)
        self._spawn("mon", "ceph-mon", "-i", "a")

    def _command(self, program: str, *arguments: str, conf: bool = True) -> list[str]:
        return [program, *(["-c", str(self._conf)] if conf else []), *arguments]

    def _run(self, program: str, *arguments: str, conf: bool = True) -> str:
        done = subprocess.run(
            self._command(program, *arguments, conf=conf),
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def _spawn(self, name: str, program: str, *arguments: str) -> None:
        with (self._folder / "log" / f"{name}.out").open("ab") as output:
            # So that they end with a test run that is killed.
            dies_with_us = ["setpriv", "--pdeathsig", "KILL"]
            self._processes[name] = subprocess.Popen(
                [*dies_with_us, *self._command(program, *arguments, "-f")],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def start(self, *options: str) -> None:
        """Starts radosgw and waits until it answers. Earlier data are kept."""
        self._spawn("rgw", "radosgw", "-n", "client.rgw", *options)
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            dead = [name for name, process in self._processes.items() if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join(path.read_text()[-2000:] for path in sorted((self._folder / "log").iterdir()))
                raise RuntimeError(f"the gateway does not answer; stopped processes: {dead}\n{logs}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with contextlib.suppress(OSError), opener.open(self.address, timeout=2) as answer:
            return b"<ListAllMyBucketsResult" in answer.read()
        return False

    def release(self) -> str:
        """Ceph's version, such as 18.2."""
        said = self._run("radosgw", "--version", conf=False)  # ceph version 18.2.7 (6b0e988...) reef (stable)
        return ".".join(said.split()[2].split(".")[:2])

    def admin(self, *arguments: str) -> str:
        """radosgw-admin: changes that bypass the gateway's clients."""
        return self._run("radosgw-admin", "-n", "client.admin", *arguments)

    def log(self) -> str:
        return (self._folder / "log" / "rgw.log").read_text(errors="replace")

    def stall(self) -> None:
        stop(self._processes["rgw"].pid)

    def resume(self) -> None:
        self._processes["rgw"].send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Sends SIGKILL to radosgw."""
        _end(self._processes.pop("rgw"))

    def restart(self, *options: str) -> None:
        """Stops radosgw in order: the successor of a killed gateway waits for it at each change."""
        gateway = self._processes.pop("rgw")
        gateway.terminate()
        gateway.wait(_PATIENCE)
        self.start(*options)

    def remove(self) -> None:
        # SIGKILL, in this order: a dying OSD would wait for its monitor, and no data has to be kept.
        for name in ("rgw", "osd", "mon"):
            if process := self._processes.pop(name, None):
                _end(process)
        shutil.rmtree(self._folder, ignore_errors=True)


def _end(process: "subprocess.Popen[Any]") -> None:
    process.kill()
    process.wait()


def _keyring() -> str:
    """One keyring for all: the monitor reads the OSD's key from it, so no further command is needed."""
    rights = {
        "mon.": {"mon": "allow *"},
        "client.admin": {"mon": "allow *", "osd": "allow *"},
        "client.rgw": {"mon": "allow rw", "osd": "allow rwx"},
        "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    }
    lines: list[str] = []
    for name, caps in rights.items():
        # Ceph's key format: type AES, time of creation, length, key.
        key = base64.b64encode(struct.pack("<HIIH", 1, int(time.time()), 0, 16) + os.urandom(16)).decode()
        lines += [f"[{name}]", f"key = {key}", *(f'caps {kind} = "{right}"' for kind, right in caps.items())]
    return "\n".join([*lines, ""])
