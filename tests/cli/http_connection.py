"""A client that sends bytes, and reads responses."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tonnage.cli.http_protocol import HttpProtocol
from tonnage.web.slow_client import TransferLimits


class ShortTimeouts(HttpProtocol):
    """A head has less time than an idle connection; a refused client's connection does not linger."""

    head_seconds = 0.3
    linger_seconds = 0.1


GRACE = 0.3


class ShortBody(ShortTimeouts):
    head_seconds = 30.0
    body_limits = TransferLimits(chunk=30, grace=GRACE, rate=64 * 1024)


class Wire(asyncio.Transport):
    """Delivers nothing; keeps what was written. `answered`: when that has `answers` responses with the body "read"."""

    def __init__(self, answers: int = 1) -> None:
        super().__init__()
        self._answers = answers
        self.written = b""
        self.answered = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        if self.written.count(b"\r\n\r\nread") == self._answers:
            self.answered.set()

    def close(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        body = json.loads(self.body)
        assert body["status"] == self.status
        assert body["requestId"] == self.headers["x-request-id"]
        assert body["detail"] == body["message"]
        assert self.headers["connection"] == "close"
        assert self.headers["cache-control"] == "no-store"
        return body


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status = re.match(r"HTTP/1.1 (\d{3}) ", head)
        assert status is not None
        headers = {name.lower(): value for name, value in re.findall(r"^([\w-]+): (.*)\r$", head, re.MULTILINE)}
        return Answer(int(status[1]), headers, await self.reader.readexactly(int(headers["content-length"])))

    async def ends(self) -> None:
        assert await self.reader.read() == b""

    async def ask(self, data: bytes) -> Answer:
        self.writer.write(data)
        return await self.answer()


Connect = Callable[[], Awaitable[Connection]]
