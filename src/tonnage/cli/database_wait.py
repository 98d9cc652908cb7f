"""Processes that start while their database is away: they wait for it."""

import asyncio
import logging
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from tonnage.cli.error_messages import error_message
from tonnage.db.deadlines import limited, request_limit
from tonnage.db.failures import UNAVAILABLE
from tonnage.error_codes import UnavailableCode
from tonnage.web.middleware import RequestMiddleware
from tonnage.web.problem import NO_DATABASE, error_response

_log = logging.getLogger(__name__)

_PAUSE = 1.0
"""Seconds between two attempts."""


class DatabaseCheck:
    """A check of the database that is repeated while the database cannot be reached. Logs why, once per reason."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._reason: str | None = None

    def passes(self) -> bool:
        """False: the database cannot be reached. Raises what the check raises otherwise."""
        try:
            # A server that hangs is away too.
            with limited(request_limit()):
                self._check()
        except UNAVAILABLE as error:
            reason = error_message(error)
            if reason != self._reason:
                self._reason = reason
                _log.warning("%s Waiting for it.", reason)
            return False
        if self._reason:
            _log.warning("The database can be reached now.")
        return True

    def wait(self) -> None:
        """Until it passes."""
        while not self.passes():
            time.sleep(_PAUSE)


class DatabaseGate:
    """An application that answers 503 until the check passes; only `/healthz` is answered earlier."""

    def __init__(self, app: ASGIApp, check: DatabaseCheck, public_url: str | None) -> None:
        self._app = app
        self._check = check
        self._waiting = RequestMiddleware(_refuse, public_url=public_url)
        self.opened = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or refuses it."""
        passed = self.opened.is_set() or scope["type"] != "http" or scope["path"] == "/healthz"
        await (self._app if passed else self._waiting)(scope, receive, send)

    async def open(self, is_stopped: Callable[[], bool]) -> None:
        """Waits for the check to pass, unless the server is stopped before. Raises what the check raises."""
        while not is_stopped():
            if await asyncio.to_thread(self._check.passes):
                self.opened.set()
                return
            await asyncio.sleep(_PAUSE)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await error_response(scope, UnavailableCode.DATABASE_UNAVAILABLE, NO_DATABASE)(scope, receive, send)
