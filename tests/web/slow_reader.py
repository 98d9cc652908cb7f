"""A client that reads a list slowly, or stops reading."""

import asyncio
from collections.abc import MutableMapping
from typing import Any, LiteralString

COUNTING: LiteralString = """
    select n, json_build_object('n', n) from generate_series(coalesce(%(after)s::bigint, 0) + 1, %(count)s) n
    order by n limit %(limit)s
"""


class Reader:
    """The client's end of an ASGI call: takes `most` messages, then stops reading or hangs up."""

    def __init__(self, most: int, *, hangs_up: bool) -> None:
        self.most = most
        self.hangs_up = hangs_up
        self.left = asyncio.Event()
        self.taken: list[MutableMapping[str, Any]] = []

    async def receive(self) -> MutableMapping[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if len(self.taken) >= self.most:
            if not self.hangs_up:
                await asyncio.Event().wait()
            self.left.set()
            await asyncio.sleep(0)
        self.taken.append(message)


def scope(path: str) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
