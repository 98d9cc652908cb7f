"""A server that speaks the product's HTTP on a real socket, in this process."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response

from tests.cli.http_connection import Connect, Connection
from tonnage.cli.connection_limits import ClientConnectionLimits
from tonnage.cli.http_protocol import HttpProtocol
from tonnage.web import problem
from tonnage.web.middleware import RequestMiddleware


async def echo(request: Request) -> Response:
    return PlainTextResponse(b"%d" % len(await request.body()))


@pytest.fixture
def protocol() -> type[HttpProtocol]:
    return HttpProtocol


@pytest.fixture
def idle() -> int:
    return 75


@pytest.fixture
def limits() -> ClientConnectionLimits | None:
    return None


@pytest.fixture
def app() -> FastAPI:
    """Answers with the length of the body."""
    app = FastAPI(openapi_url=None)
    problem.install(app)
    app.add_middleware(RequestMiddleware)
    app.add_route("/", echo, methods=["GET", "POST"])
    return app


@pytest.fixture
async def connect(
    protocol: type[HttpProtocol], idle: int, app: FastAPI, limits: ClientConnectionLimits | None
) -> AsyncGenerator[Connect]:
    http: Any = partial(protocol, limits=limits)
    config = uvicorn.Config(
        app, http=http, ws="none", lifespan="off", log_config=None, server_header=False, timeout_keep_alive=idle
    )
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        connections: list[Connection] = []

        async def connect() -> Connection:
            # The listening socket accepts connections before the server serves them.
            connections.append(Connection(*await asyncio.open_connection(*listener.getsockname())))
            return connections[-1]

        yield connect
        for connection in connections:
            connection.writer.close()
        server.should_exit = True
        await serving
