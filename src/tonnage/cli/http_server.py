"""uvicorn, as Tonnage runs it: on a socket that is bound already, and stopped by its caller."""

import asyncio
import http.client
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
import uvicorn
import uvloop
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from tonnage.cli.connection_limits import ClientConnectionLimits
from tonnage.cli.database_wait import DatabaseGate
from tonnage.cli.http_protocol import HttpProtocol
from tonnage.cli.listener import Listener, unavailable

_log = logging.getLogger(__name__)

_DRAIN_SECONDS = 20
"""How long requests in flight may take after SIGTERM."""

_IDLE_SECONDS = 75
"""Longer than the 60 seconds of the usual reverse proxies: else they send a request into a connection that closes."""

_BACKLOG = 256
"""Connections that the system accepts before we do. They need files all at once, and must not need more than we have.
"""

_TICKS_BETWEEN_CHECKS = 50


class HttpServer(uvicorn.Server):
    """Serves an application and prints `banner` when it does: the socket accepts requests, and the database answers."""

    def __init__(
        self,
        app: FastAPI | DatabaseGate,
        listener: Listener,
        banner: list[str],
        limits: ClientConnectionLimits,
        *,
        access_log: bool,
        secure: bool,
    ) -> None:
        protocol: Any = partial(HttpProtocol, limits=limits, secure=secure)  # uvicorn only calls it
        config = uvicorn.Config(
            app,
            http=protocol,
            backlog=_BACKLOG,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=access_log,
            server_header=False,
            proxy_headers=False,  # the application has uvicorn's middleware; see web/proxy_headers.py
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        super().__init__(config)
        self._gate = app if isinstance(app, DatabaseGate) else None
        self._listener = listener
        self._banner = banner

    def run_until_stopped(self) -> None:
        """Raises click.ClickException when it cannot start."""
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self.serve([self._listener.socket]))
        except SystemExit as error:
            if error.code != STARTUP_FAILURE:
                raise
            raise click.ClickException("The server could not start. The reason is in the lines above.") from error

    def stop(self) -> None:
        """No more requests; ends when those under way are answered."""
        self.should_exit = True

    def hurry(self) -> None:
        """Ends without waiting for requests."""
        self.force_exit = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves signals alone: uvicorn's way ends the process by the signal before the database is stopped."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Runs ten times a second."""
        if counter % _TICKS_BETWEEN_CHECKS == 0:
            connections: Any = list(self.server_state.connections)  # typed as uvicorn's own protocols
            for connection in connections:
                connection.end_if_stalled()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Also waits for the database, and for the first answer."""
        try:
            await super().startup(sockets)
        except OSError as error:
            # Bound, but another process was faster to listen.
            raise unavailable(self._listener.host, self._listener.port, error) from error
        if self._gate:
            _log.warning("Requests to %s are answered with 503 until the database can be used.", self._listener.origin)
            await self._gate.open(lambda: self.should_exit)
            if self.should_exit:
                return
        trouble = await asyncio.to_thread(self._trouble)
        if trouble:
            raise click.ClickException(trouble)
        for line in self._banner:
            click.echo(line)

    def _trouble(self) -> str | None:
        connection = http.client.HTTPConnection(self._listener.host, self._listener.port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return None if response.status == http.HTTPStatus.OK else response.read().decode()
        except OSError as error:
            return f"The server does not answer at {self._listener.origin}: {error}"
        finally:
            connection.close()
