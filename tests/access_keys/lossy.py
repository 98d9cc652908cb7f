"""A TCP proxy before a gateway, which delays requests and drops answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from testbed.gateway import Gateway


@dataclass
class LossyWay:
    """Drops the answers to requests that begin with `loses`; b"" for none. `lost` is set once an answer was dropped.

    The client then finds the connection closed, or with `hangs` gets no answer. Requests that begin with
    `delays` are held from `delayed` until `goes_on`.
    """

    port: int = 0
    loses: bytes = b""
    hangs: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    delays: bytes = b""
    delayed: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def lossy_way(gateway: Gateway) -> AsyncGenerator[LossyWay]:
    way = LossyWay()
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_gateway, to_gateway = await asyncio.open_connection("127.0.0.1", gateway.port)
        losing = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_there(reader, to_gateway, way, losing))
                group.create_task(_back(from_gateway, writer, way, losing))
        finally:
            for end in (writer, to_gateway):
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(task := asyncio.create_task(serve(reader, writer)))
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    way.port = server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _there(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: LossyWay, losing: asyncio.Event
) -> None:
    while sent := await reader.read(65536):
        if way.loses and sent.startswith(way.loses):
            losing.set()
        if way.delays and sent.startswith(way.delays):
            way.delayed.set()
            await way.goes_on.wait()
        writer.write(sent)
        await writer.drain()
    writer.close()


async def _back(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: LossyWay, losing: asyncio.Event
) -> None:
    while answered := await reader.read(65536):
        if not losing.is_set():
            writer.write(answered)
            await writer.drain()
            continue
        way.lost.set()
        if not way.hangs:
            break
    writer.close()
