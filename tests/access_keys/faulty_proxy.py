"""A TCP proxy before a gateway, which delays requests and drops answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from testbed.gateway import Gateway


@dataclass
class FaultyProxy:
    """Drops the answers to requests that begin with `drop_prefix`; b"" for none. `dropped` is set on the first.

    The client then finds the connection closed, or with `hang` gets no answer. Requests that begin with
    `delay_prefix` are held from `delayed` until `resume`.
    """

    port: int = 0
    drop_prefix: bytes = b""
    hang: bool = False
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    delay_prefix: bytes = b""
    delayed: asyncio.Event = field(default_factory=asyncio.Event)
    resume: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def faulty_proxy(gateway: Gateway) -> AsyncGenerator[FaultyProxy]:
    proxy = FaultyProxy()
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_gateway, to_gateway = await asyncio.open_connection("127.0.0.1", gateway.port)
        dropping = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_forward_request(reader, to_gateway, proxy, dropping))
                group.create_task(_forward_answer(from_gateway, writer, proxy, dropping))
        finally:
            for end in (writer, to_gateway):
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(task := asyncio.create_task(serve(reader, writer)))
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _forward_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: FaultyProxy, dropping: asyncio.Event
) -> None:
    while sent := await reader.read(65536):
        if proxy.drop_prefix and sent.startswith(proxy.drop_prefix):
            dropping.set()
        if proxy.delay_prefix and sent.startswith(proxy.delay_prefix):
            proxy.delayed.set()
            await proxy.resume.wait()
        writer.write(sent)
        await writer.drain()
    writer.close()


async def _forward_answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: FaultyProxy, dropping: asyncio.Event
) -> None:
    while answered := await reader.read(65536):
        if not dropping.is_set():
            writer.write(answered)
            await writer.drain()
            continue
        proxy.dropped.set()
        if not proxy.hang:
            break
    writer.close()
