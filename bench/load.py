"""The load generator: clients on keep-alive connections in their own process, cheap enough not to affect it.

A client sends its next request when the reply to the last one is complete. `python -m bench.load` reads one line of
JSON, warms the server up, prints `ready`, waits for a line, and prints the results of the run.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import uvloop

CLIENTS = 8


@dataclass(frozen=True)
class Request:
    """The requests that each client repeats."""

    path: str
    key: str = ""
    body: str = ""

    def wire(self) -> str:
        head = f"{'POST' if self.body else 'GET'} {self.path} HTTP/1.1\r\nHost: bench\r\n"
        if self.key:
            head += f"Authorization: Bearer {self.key}\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body.encode())}\r\n"
        return head + "\r\n" + self.body


@dataclass(frozen=True)
class Plan:
    port: int
    wire: str
    seconds: float
    clients: int = CLIENTS
    warm: float = 0.3
    pause: float = 0.0
    """Seconds between a reply and the next request. Not 0 for a probe that must not be a load itself."""


@dataclass(frozen=True)
class Run:
    """Latencies in milliseconds, of every request that was sent: the last replies arrive after `Plan.seconds`."""

    count: int
    failures: int
    seconds: float
    size: int
    p50: float
    p99: float
    worst: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class Client(asyncio.Protocol):
    """An HTTP client for uvicorn's replies: a Content-Length, or chunks whose JSON has no raw line break."""

    def __init__(self, plan: Plan) -> None:
        self._wire = plan.wire.encode()
        self._pause = plan.pause
        self._tail = b""
        self._missing: int | None = None
        self._got = 0
        self._sent = 0.0
        self._deadline = 0.0
        self._idle: asyncio.Future[None] | None = None
        self.latencies: list[float] = []
        self.failures = 0
        self.size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle and not self._idle.done():
            self._idle.set_exception(ConnectionError("the server has closed a connection"))

    async def run(self, deadline: float) -> None:
        self.latencies, self.failures = [], 0
        self._deadline = deadline
        self._idle = asyncio.get_running_loop().create_future()
        self._send()
        await self._idle

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._wire)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        if not self._tail:
            self._begin(data)
        self._tail = (self._tail + data)[-7:]
        if self._got == self._missing or (self._missing is None and self._tail == b"\r\n0\r\n\r\n"):
            self._complete()

    def _begin(self, data: bytes) -> None:
        head, _, _ = data.partition(b"\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self.failures += 1
        _, found, length = head.partition(b"content-length: ")
        self._missing = len(head) + 4 + int(length.partition(b"\r\n")[0]) if found else None

    def _complete(self) -> None:
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        self.size = self._got
        self._tail, self._got = b"", 0
        if now < self._deadline:
            if self._pause:
                asyncio.get_running_loop().call_later(self._pause, self._send)
            else:
                self._send()
        elif self._idle:
            self._idle.set_result(None)


class Load:
    """A connected, warmed-up load process. `begin` starts the clock, `end` waits for the results; a call does both."""

    def __init__(self, plan: Plan) -> None:
        self._what = plan.wire.partition("\r\n")[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._write(json.dumps(asdict(plan)))
        if self._read() != "ready\n":
            raise RuntimeError(f"the load could not be started: {self._what}")

    def begin(self) -> None:
        self._write("go")

    def end(self) -> Run:
        run = Run(**json.loads(self._read()))
        self._process.communicate()
        if run.failures:
            raise RuntimeError(f"{run.failures} of {run.count} replies to {self._what} were no success")
        return run

    def __call__(self) -> Run:
        self.begin()
        return self.end()

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


async def _main(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(plan), "127.0.0.1", plan.port))[1] for _ in range(plan.clients)
    ]
    if plan.warm:
        await _together(clients, plan.warm)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    begin = time.perf_counter()
    await _together(clients, plan.seconds)
    seconds = time.perf_counter() - begin
    latencies = sorted(latency * 1000 for client in clients for latency in client.latencies)
    run = Run(
        count=len(latencies),
        failures=sum(client.failures for client in clients),
        seconds=seconds,
        size=clients[0].size,
        p50=statistics.median(latencies),
        p99=latencies[int(len(latencies) * 0.99)],
        worst=latencies[-1],
    )
    print(json.dumps(asdict(run)), flush=True)


async def _together(clients: list[Client], seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    await asyncio.gather(*(client.run(deadline) for client in clients))


if __name__ == "__main__":
    uvloop.run(_main(Plan(**json.loads(sys.stdin.readline()))))
