"""The figures of every attack, on the program of this environment.

.venv/bin/python -m tests.hostile.figures
PYTHONPATH=/path/to/another/checkout/src .venv/bin/python -m tests.hostile.figures
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import tonnage
from tests.hostile import attacks
from tests.hostile.serving import Server, serving

_FORM = b"POST /sign-in HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n"
_BODY = b"x" * 1_000_000


def show(what: str, value: object) -> None:
    sys.stdout.write(f"{what}: {value}\n")
    sys.stdout.flush()


async def memory(server: Server) -> None:
    await attacks.right_sign_in(server)
    show("MB at first", server.memory)
    for connections in (1, 4):
        async with attacks.neighbour(server) as fate:
            most = await attacks.peak(server, attacks.pipeline(server, connections, 10))
        show(f"MB, {connections} connections pipeline 200,000 requests", (most, f"slowest page {fate.slowest:.2f} s"))
    await asyncio.sleep(3)
    show("MB afterwards", server.memory)


async def bodies(server: Server) -> None:
    await attacks.right_sign_in(server)
    show("MB at first", server.memory)
    head = _FORM + b"Content-Length: 1048576\r\n\r\n"
    lines: list[bytes] = []

    async def stalled() -> None:
        lines.extend(await attacks.stall(server, 200, 6, head, _BODY))

    show("MB, 200 stalled forms", await attacks.peak(server, stalled()))
    show("their responses", set(lines))
    key = server.secrets.keys["partner_admin"].encode()
    post = b"POST /v1/storage-account HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + key
    head = post + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    line, seconds = await attacks.trickle(server, head, 40)
    show("a trickled body", (line, f"{seconds:.0f} s"))


async def connections(server: Server) -> None:
    async with attacks.crowd(server, 1100) as lines:
        show("1,100 connections", dict(lines))
        try:
            async with asyncio.timeout(15):
                show("the neighbour's sign-in meanwhile", await attacks.right_sign_in(server))
        except Exception as error:  # any failure is a figure
            show("the neighbour's sign-in meanwhile", repr(error))
    show("lines in the log", [line for line in server.log.splitlines() if "connections" in line][:3])


async def passwords(server: Server) -> None:
    show("a sign-in at first", await attacks.right_sign_in(server))
    floods = (attacks.key_on_unknown_accounts, 100), (attacks.anonymous_sign_ins, 150)
    for attack, workers in floods:
        async with attack(server, workers) as flood:
            await asyncio.sleep(3)
            took = [await attacks.right_sign_in(server) for _ in range(5)]
        show(f"{workers} of {attack.__name__}", dict(flood.statuses))
        show("sign-ins meanwhile", [(status, round(seconds, 2)) for status, seconds in took])


def run(work: Callable[[Server], Awaitable[None]], files: int | None = None) -> None:
    async def main(server: Server) -> None:
        await work(server)

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), files) as server:
        show("== ", (work.__name__, tonnage.__file__, os.getloadavg()))
        asyncio.run(main(server))


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for each, files in ((memory, None), (bodies, None), (connections, 1024), (passwords, None)):
        if not wanted or each.__name__ in wanted:
            run(each, files)
