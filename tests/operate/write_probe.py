"""Writes to each server without Tonnage, to learn when the database itself took writes."""

import threading
import time
from contextlib import suppress
from itertools import pairwise

import psycopg

from tests.operate.patroni import PatroniCluster

_PAUSE = 0.05
_OUTAGE = 0.5
"""Seconds without a write that are an outage: ten pauses, since the machine is busy."""


class WriteProbe:
    """A thread for each server, since a frozen one does not answer for as long as it is frozen."""

    def __init__(self, cluster: PatroniCluster) -> None:
        self._ended = threading.Event()
        self._written: list[float] = []
        for node in cluster.nodes:
            threading.Thread(target=self._write, args=[cluster.owner_url(node)], daemon=True).start()

    def outages(self, since: float) -> list[tuple[float, float]]:
        """The times between which no write was confirmed, of the monotonic clock."""
        times = [since, *sorted(at for at in self._written if at > since), time.monotonic()]
        return [(start, end) for start, end in pairwise(times) if end - start > _OUTAGE]

    def close(self) -> None:
        self._ended.set()

    def _write(self, conninfo: str) -> None:
        while not self._ended.wait(_PAUSE):
            with suppress(psycopg.Error), psycopg.connect(conninfo, autocommit=True) as conn:
                while not self._ended.wait(_PAUSE):
                    # Fails on a standby.
                    conn.execute("insert into written values (%s)", [time.monotonic()])
                    self._written.append(time.monotonic())
