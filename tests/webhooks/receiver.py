"""A receiver of webhooks: a real HTTPS server on loopback, by a name that only the test's resolver knows."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from tests.tls import Authority
from tonnage.public_http import PublicHttp

NAME = "hooks.example.com"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Received:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b"thanks"
    headers: str = ""
    waits: bool = False
    """It never answers."""


@dataclass
class Receiver:
    """`answers`: how it answers the next requests; when there are none left, 200."""

    port: int
    http: PublicHttp
    received: list[Received] = field(default_factory=list[Received])
    answers: list[Answer] = field(default_factory=list[Answer])
    resolved: list[str] = field(default_factory=list[str])

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}/hooks"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.received.append(Received(method, path, headers, body))
        answer = self.answers.pop(0) if self.answers else Answer()
        if answer.waits:
            await reader.read()
        else:
            writer.write(
                f"HTTP/1.1 {answer.status} Some\r\nContent-Length: {len(answer.body)}\r\n{answer.headers}\r\n".encode()
                + answer.body
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(
    folder: Path, *, resolves: Callable[[int], list[str]] = lambda _: ["127.0.0.1"], seconds: float = 5.0
) -> AsyncGenerator[Receiver]:
    """`resolves`: the addresses of the name, when it is asked for the n-th time."""
    authority = Authority(folder)
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return resolves(len(asked))

    made = Receiver(0, PublicHttp(LOOPBACK, resolve, authority.client(), seconds), resolved=asked)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=authority.server(NAME))
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
