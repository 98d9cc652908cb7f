"""A PostgreSQL that tests can freeze: it keeps its connections and accepts new ones, and answers nothing."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import psycopg
from psycopg.conninfo import make_conninfo

from testbed.stopping import stop
from tests.processes import children, parent
from tonnage import embedded, migrations


class FreezableServer:
    """`freeze` suspends every process of the server, `thaw` resumes them.

    Its database has a table `written (number int)`, for statements that change something.
    """

    def __init__(self, url: str) -> None:
        self.conninfo = make_conninfo(url, dbname="freezable")
        with psycopg.connect(url, autocommit=True) as conn:
            postmaster = parent(conn.info.backend_pid)
            assert postmaster is not None
            self._postmaster = postmaster
            conn.execute("create database freezable")
        migrations.upgrade(self.conninfo)
        with psycopg.connect(self.conninfo, autocommit=True) as conn:
            conn.execute("create table written (number int)")
            # It commits asynchronously: a test that kills a backend would lose unwritten data.
            conn.execute("checkpoint")
        self._thawing: Timer | None = None

    def freeze(self) -> None:
        """For a minute at most: a wait without a time limit must fail its test, not hang it."""
        self._thawing = Timer(60, self.thaw)
        self._thawing.daemon = True
        self._thawing.start()
        # The postmaster first: it must not start another process meanwhile.
        stop(self._postmaster)
        stop(*children(self._postmaster))

    def thaw(self) -> None:
        if self._thawing:
            self._thawing.cancel()
        _signal(signal.SIGCONT, *children(self._postmaster), self._postmaster)


@contextmanager
def freezable_server(folder: Path) -> Generator[FreezableServer]:
    with embedded.serve(folder, durable=False) as (_, url):
        server = FreezableServer(url)
        try:
            yield server
        finally:
            server.thaw()


def _signal(number: signal.Signals, *pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
