"""A real `tonnage serve` with the sample data, watched from outside while it is attacked."""

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.cli.running import environment
from tonnage import demo, keyfile
from tonnage.keyfile import KeyFile

STRANGER = "127.0.0.1"
"""Where the attacks come from."""
NEIGHBOUR = "127.0.1.1"
"""Where a customer is: another /24."""

_START_SECONDS = 120.0
_LINE = re.compile(r"serves http://127\.0\.0\.1:(\d+)/v1")


@dataclass
class Server:
    process: "subprocess.Popen[bytes]"
    port: int
    secrets: KeyFile
    output: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def memory(self) -> int:
        """Megabytes of the process that serves."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    @property
    def log(self) -> str:
        return self.output.read_text()

    def client(self, address: str = NEIGHBOUR) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        return httpx.AsyncClient(transport=transport, base_url=self.origin, timeout=100)

    async def connect(self, address: str = STRANGER) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))


@contextmanager
def serving(folder: Path, files: int | None = None, **settings: str) -> Generator[Server]:
    """`files`: the limit of open files of the process, which it cannot raise."""

    def limit() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    data, output = folder / "data", folder / "output"
    command = [sys.executable, "-m", "tonnage", "serve", "--demo", "--port", "0", "--data-dir", str(data)]
    # The tests have one thread here.
    with (
        output.open("wb") as log,
        subprocess.Popen(
            command,
            env=environment(TONNAGE_API_REQUESTS_PER_SECOND="1000000", **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,  # noqa: PLW1509
        ) as process,
    ):
        try:
            port = _port(process, output)
            secrets = keyfile.read(demo.path_in(data))
            assert secrets is not None
            yield Server(process, port, secrets, output)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(process: "subprocess.Popen[bytes]", output: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if match := _LINE.search(output.read_text()):
            return int(match[1])
        time.sleep(0.1)
    raise AssertionError(f"does not serve: {output.read_text()}")
