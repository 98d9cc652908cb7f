"""What one tenant's slow work does to another one, who reads and writes meanwhile, served by `tonnage serve` with its
worker.

`python -m bench.fairness [ACCOUNTS]`: the import has 30 lines for each. Exit status 1: requests got 5xx, or a p99 is
over 100 ms.
"""

import asyncio
import contextlib
import itertools
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from bench.fairness_data import ACCOUNTS, Scene, build
from tonnage import embedded

LOCKED = 15.0
"""Seconds for which a row is locked."""

MOVING = 15.0
"""Seconds of moves, one after the other: enough requests of the other tenant for a p99."""

WRITERS = 10
PAUSE = 0.01
"""Seconds between two requests of the other tenant, which must not be a load itself."""

_JOBS: LiteralString = """
    select from procrastinate_jobs
    where status in ('todo', 'doing') and coalesce(scheduled_at, now()) <= now()"""
_OTHER_QUOTA: LiteralString = """
    select from storage_account where partner_id = %s and quota is distinct from greatest(quota, %s - 1000000000)"""
"""An elastic account's quota is what the others leave of the allocation: here, all but some megabytes."""

Say = Callable[[str], None]


@dataclass
class Requests:
    """The requests of the other tenant: their milliseconds, and how many got 5xx."""

    latencies: list[float] = field(default_factory=list[float])
    failures: int = 0

    @property
    def p99(self) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)]

    def __str__(self) -> str:
        p50, worst = statistics.median(self.latencies), max(self.latencies)
        return (
            f"{len(self.latencies):6,} requests, {self.failures} with 5xx; p50 {p50:.1f} ms, p99 {self.p99:.1f} ms,"
            f" longest {worst:.0f} ms"
        )


def measure(url: str, folder: Path, say: Say, accounts: int) -> dict[str, Requests]:
    """The requests of the other tenant during each of WORK, on a new database beside the one at `url`."""
    found: dict[str, Requests] = {}
    with build(url, folder, say, accounts) as scene, _serving(scene) as origin:
        asyncio.run(_until_none(scene, _JOBS))  # with which a server begins
        for label, work in WORK.items():
            found[label] = asyncio.run(_during(work, scene, origin))
            say(f"{label}: {found[label]}")
    return found


@contextlib.contextmanager
def _serving(scene: Scene) -> Generator[str]:
    """The address of a server."""
    command = [sys.executable, "-m", "tonnage", "serve", "--port", "0", *scene.options]
    with (
        (scene.file.parent / "serve.log").open("w") as log,
        subprocess.Popen(command, env=scene.environment, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout
            lines = iter(process.stdout)
            origin = next(match[1] for line in lines if (match := re.search(r"serves (http://\S+)/v1", line)))
            yield origin
        finally:
            process.terminate()


async def _during(work: Callable[[Scene, str], Awaitable[None]], scene: Scene, origin: str) -> Requests:
    async with _other_tenant(scene, origin) as requests:
        await work(scene, origin)
    return requests


@contextlib.asynccontextmanager
async def _other_tenant(scene: Scene, origin: str) -> AsyncGenerator[Requests]:
    """Reads and writes in turns until the block ends."""
    requests, over = Requests(), asyncio.Event()
    partner = {"distributorContractId": str(scene.other.contracts[0]), "name": "Nimbus", "allocatedCapacity": 1}

    async def ask() -> None:
        async with client(origin, scene.other.key) as http:
            while not over.is_set():
                await timed(http, "GET", "/v1/contract/list")
                await timed(http, "POST", "/v1/partner", partner)

    async def timed(http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        begun = time.perf_counter()
        answer = await http.request(method, path, json=body)
        requests.latencies.append(1000 * (time.perf_counter() - begun))
        requests.failures += answer.status_code >= 500
        if answer.is_client_error:
            raise RuntimeError(answer.text)
        await asyncio.sleep(PAUSE)

    asking = asyncio.create_task(ask())
    try:
        yield requests
    finally:
        over.set()
        await asking


def client(origin: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=origin, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False)


async def _until_none(scene: Scene, rows: LiteralString, *parameters: object) -> None:
    """Waits until a statement finds no row any more."""
    deadline = time.monotonic() + 120
    async with await psycopg.AsyncConnection.connect(scene.url, autocommit=True) as conn:
        while (await conn.execute(rows, parameters)).rowcount:
            if time.monotonic() > deadline:
                raise RuntimeError(f"still rows after two minutes: {rows}")
            await asyncio.sleep(0.2)


async def _nothing(scene: Scene, origin: str) -> None:
    await asyncio.sleep(5)


async def _lock(scene: Scene, origin: str) -> None:
    until = time.monotonic() + LOCKED

    async def write() -> None:
        while time.monotonic() < until:
            await http.put(f"/v1/partner/{scene.partner}", json={"name": "Busy", "allocatedCapacity": 0})

    async with await psycopg.AsyncConnection.connect(scene.url) as conn, client(origin, scene.busy.key) as http:
        await conn.execute("select from partner where id = %s for update", [scene.partner])
        await asyncio.gather(*(write() for _ in range(WRITERS)))


async def _import(scene: Scene, origin: str) -> None:
    await _command(scene, "usage", "import", str(scene.file))


async def _doctor(scene: Scene, origin: str) -> None:
    """It finds what the bulk insert left out."""
    await _command(scene, "doctor", permitted=1)


async def _command(scene: Scene, *arguments: str, permitted: int = 0) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tonnage", *arguments, *scene.options, env=scene.environment, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode not in {0, permitted}:
        raise RuntimeError(f"tonnage {arguments[0]} failed: {output.decode()}")


async def _moves(scene: Scene, origin: str) -> None:
    if scene.elastic is None:
        return
    async with client(origin, scene.elastic.key) as http:
        over, contracts = time.monotonic() + MOVING, itertools.cycle(reversed(scene.elastic.contracts))
        while time.monotonic() < over:
            path, target = f"/ext/v1/partner/{scene.elastic_partner}/contract", str(next(contracts))
            (await http.put(path, json={"distributorContractId": target})).raise_for_status()


async def _quotas(scene: Scene, origin: str) -> None:
    if scene.elastic is None:
        return
    async with client(origin, scene.elastic.key) as http:
        for terabytes in range(2, 6):
            details = {"allocatedCapacity": terabytes * 10**12}
            (await http.put(f"/v1/partner/{scene.elastic_partner}", json=details)).raise_for_status()
            await _until_none(scene, _OTHER_QUOTA, scene.elastic_partner, terabytes * 10**12)


WORK: dict[str, Callable[[Scene, str], Awaitable[None]]] = {
    "no other work": _nothing,
    f"a lock of {LOCKED:g} s on a row, with {WRITERS} writers": _lock,
    "an import": _import,
    "moves of a partner with 1,000 accounts": _moves,
    "four new quotas of 1,000 accounts": _quotas,
    "`tonnage doctor`": _doctor,
}
"""By the label of the report."""


def main(accounts: int) -> None:
    begin = time.monotonic()
    folder = Path(__file__).parent.parent / "data"  # not in /tmp, which may be memory
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name, embedded.serve(Path(name) / "server") as (_, url):
        found = measure(
            url, Path(name), lambda line: print(f"[{time.monotonic() - begin:4.0f} s] {line}", flush=True), accounts
        )
    sys.exit(any(one.failures or one.p99 > 100 for one in found.values()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS)
