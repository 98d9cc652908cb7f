"""How long all accounts and partners take to be compared with their alert levels, and what follows when most of them
reach one at the same moment: events, mails, and the pages that list them.

`python -m bench.alerts [PARTNERS]` measures this; it is no part of `make bench`.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from bench import console_data
from bench.console import ROUNDS, timed
from bench.dataset import loading
from tonnage import embedded, migrations
from tonnage.access.audit_sequence_actions import sequence_entries
from tonnage.alerts.actions import evaluate
from tonnage.db import connect
from tonnage.events.actions import publish
from tonnage.mail import Mailer, Message
from tonnage.notifications.actions import notify
from tonnage.regions.backends import open_backends
from tonnage.services import Services

PAGES = ("/inbox", "/alerts", "/profile/notifications")

_MEMBERS = """
insert into member (organisation_id, email, email_key, role, password_hash)
select id, 'm' || seq || '@example.org', 'm' || seq || '@example.org', 'admin', 'none'
from organisation where kind = 'partner'
"""


@dataclass
class CountingOutbox:
    """A mail server that accepts everything at once."""

    delivers = True
    mails: int = 0
    readers: set[str] = field(default_factory=set[str])

    async def send(self, message: Message) -> bool:
        """Counts the mail."""
        self.mails += 1
        self.readers.add(message.to)
        return True


def measure(url: str, partners: int) -> None:
    """On a new database; prints seconds, and milliseconds of the pages of each audience."""
    migrations.upgrade(url)
    now = datetime.now(UTC)
    with loading(url) as conn:
        distributor, _ = console_data.add_partners(conn, partners, now, now.date())
        conn.execute(_MEMBERS)
        conn.execute("vacuum analyze")
    asyncio.run(_storm(url, now))
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("vacuum analyze")
        tokens = {
            who: console_data.new_session(conn, organisation, now)
            for who, organisation in {
                "operator": _first(conn, "operator"),
                "distributor": distributor,
                "partner": _first(conn, "partner"),
            }.items()
        }
    paths = {f"{path}, {who}": (path, token) for who, token in tokens.items() for path in PAGES}
    for label, taken in asyncio.run(timed(url, paths, ROUNDS)).items():
        print(f"{statistics.median(taken):8.1f} ms  {min(taken):.1f} .. {max(taken):.1f}  {label}")


async def _storm(url: str, now: datetime) -> None:
    outbox = CountingOutbox()

    async def took(what: str, work: Callable[[], Awaitable[object]]) -> None:
        begin = time.perf_counter()
        found = await work()
        print(f"{time.perf_counter() - begin:8.1f} s   {what}: {found}", flush=True)

    async with connect(url) as database, open_backends(database, None) as backends:
        services = Services(database, backends, mailer=Mailer(outbox, "https://console.example.org"))
        await took("compared, and most reach a level", lambda: evaluate(database, now))
        await took("compared again, nothing has changed", lambda: evaluate(database, now))
        await took("positions of the entries", lambda: sequence_entries(database))
        await took("events", lambda: publish(database))
        await took("mails, the first run of the job", lambda: notify(services))
        print(f"{outbox.mails} mails to {len(outbox.readers)} members")


def _first(conn: psycopg.Connection[Any], kind: str) -> UUID:
    row = conn.execute("select id from organisation where kind = %s order by seq limit 1", [kind]).fetchone()
    if row is None:
        raise LookupError(kind)
    return row[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, embedded.serve(Path(name) / "server", durable=False) as (_, url):
        measure(url, int(sys.argv[1]) if len(sys.argv) > 1 else console_data.PARTNERS)
