"""The servers: one process each, on the same uvicorn with the settings of `tonnage serve`, and their CPU and memory.

`python -m bench.servers KIND URL` serves on a free port and prints it.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

from tonnage.asgi import create_app
from tonnage.config import Limits


@dataclass(frozen=True)
class Server:
    pid: int
    port: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far, in user and system mode, of all threads."""
        return _cpu(self.pid)

    @property
    def memory(self) -> int:
        """Resident bytes at present."""
        return self._status("VmRSS")

    @contextmanager
    def watched(self) -> Generator["Peak"]:
        """Yields the peak of resident bytes during the block."""
        try:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # resets the peak
            by_kernel = True
        except OSError:
            by_kernel = False
        peak = Peak(self.memory)
        stop = threading.Event()
        sampler = threading.Thread(target=peak.sample, args=(self, stop))
        sampler.start()
        try:
            yield peak
        finally:
            stop.set()
            sampler.join()
            if by_kernel:
                peak.highest = max(peak.highest, self._status("VmHWM"))

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        raise LookupError(name)


@dataclass(frozen=True)
class DatabaseServer:
    """All processes of a PostgreSQL on this machine; `pid` is the postmaster's."""

    pid: int

    @classmethod
    def at(cls, url: str) -> "DatabaseServer":
        with psycopg.connect(url) as conn:
            return cls(int(_stat(conn.info.backend_pid)[1]))

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far, with those of ended backends: pools close connections during a run."""
        processes = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        living = [pid for pid in processes if pid == self.pid or _stat(pid)[1:2] == [str(self.pid)]]
        ended = sum(map(int, _stat(self.pid)[13:15])) / os.sysconf("SC_CLK_TCK")
        return ended + sum(map(_cpu, living))


def _stat(pid: int) -> list[str]:
    """Fields of proc_pid_stat(5) from the third one on; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu(pid: int) -> float:
    """CPU time of all threads, in user and system mode, to the nanosecond; /proc counts in hundredths of a second."""
    try:
        return time.clock_gettime(~pid << 3 | 2)  # how clock_getcpuclockid(3) encodes a process id on Linux
    except OSError:  # it has ended
        return 0.0


class Peak:
    def __init__(self, before: int) -> None:
        self.before = before
        self.highest = before

    @property
    def growth(self) -> int:
        return self.highest - self.before

    def sample(self, server: Server, stop: threading.Event) -> None:
        while not stop.wait(0.005):
            self.highest = max(self.highest, server.memory)


@contextmanager
def serving(kind: str, url: str) -> Generator[Server]:
    """A server of kind `raw`, `product` or `usual` on the database at `url`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.servers", kind, url], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(f"the server {kind!r} did not start")
        _await_port(int(port))
        yield Server(process.pid, int(port))
    finally:
        process.terminate()
        process.wait(30)


def _await_port(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("a server does not listen")


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """A reply without any work: R0 of the table."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"15")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"status":"ok"}'})


def _app(kind: str, url: str) -> Any:
    if kind == "raw":
        return raw
    if kind == "usual":
        from bench.usual_stack import create_usual_app  # noqa: PLC0415  the product's process must not load SQLAlchemy's ORM

        return create_usual_app(url)
    # One key sends everything that is measured.
    return create_app(url, limits=Limits(requests_per_second=1_000_000))


def _main(kind: str, url: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(
            _app(kind, url),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    _main(*sys.argv[1:])
