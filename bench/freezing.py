"""How long a month of one seller takes to be frozen, the memory that it needs, and the pages of what is frozen.

`python -m bench.freezing [PARTNERS]` measures this alone.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from bench import console_data
from bench.console import ROUNDS, Say, timed
from bench.dataset import loading
from tonnage import embedded, migrations
from tonnage.access.actor import Actor, Kind, Role
from tonnage.db import connect
from tonnage.month_end.freezing_actions import freeze
from tonnage.organisations.queries import operator_id
from tonnage.regions.backends import open_backends
from tonnage.services import Services

SMALL_CONTRACT = 500
"""Partners of the contract whose statement is a page."""

_FIRST, _LAST, _NOW = date(2026, 10, 1), date(2026, 10, 31), datetime(2026, 11, 3, 2, tzinfo=UTC)

STATEMENT, WORKING = f"a statement of {SMALL_CONTRACT} partners", "the working of a line of it"
LABELS = (
    STATEMENT,
    WORKING,
    "statements",
    "statements, last page",
    "statements, searched for one",
    f"the month of {console_data.PARTNERS:,} statements",
)
"""The labels of the pages."""

_LIST, _MONTH = "/statements?role=seller&month=2026-10", "/statements/months/2026-10"

PROFILE = {
    "legalName": "Many Clouds GmbH",
    "addressLine1": "Hauptstrasse 1",
    "postalCode": "10115",
    "city": "Berlin",
    "country": "DE",
    "vatId": "DE123456789",
}

_PROFILES = """
with t as (insert into tax_rate select id, '2020-01-01', 19 from organisation where kind <> 'partner')
insert into billing_profile (keeper_id, organisation_id, profile, changed_at)
select coalesce(o.parent_id, k.id), o.id, %(profile)s, %(now)s from organisation o
join organisation k on k.kind = 'operator' union all
select id, id, %(profile)s, %(now)s from organisation where kind = 'distributor'
"""

# Pay-per-use, so that each partner has a line.
_SMALL_CONTRACT = """
with k as (
    insert into contract (
        id, distributor_id, reserved_capacity, price_cents, currency, details, name_key, created_at, terms_since)
    values (%(id)s, %(distributor)s, 0, 1, 'EUR', 'Small', 'small', '2026-01-01', '2026-01-01') returning *
), t as (
    insert into contract_terms (contract_id, valid_from, reserved_capacity, price_cents, currency)
    select id, terms_since, reserved_capacity, price_cents, currency from k
), p as (
    update partner set contract_id = (select id from k), allocated_capacity = 0, allow_overdraft = null
    where id in (select id from partner order by seq limit %(count)s) returning *
)
insert into partner_terms (partner_id, valid_from, contract_id, allocated_capacity, allow_overdraft)
select id, terms_since, contract_id, 0, false from p
"""


@dataclass
class Freezing:
    """What was measured."""

    seconds: list[float] = field(default_factory=list[float])
    """For the distributor's month."""
    growth: list[float] = field(default_factory=list[float])
    """Megabytes by which the process grew meanwhile."""
    pages: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Milliseconds of the pages of what is frozen."""


def measure(url: str, say: Say, partners: int = console_data.PARTNERS, rounds: int = ROUNDS) -> Freezing:
    """On a new database beside the one at `url`."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create database freezing")
    own = make_conninfo(url, dbname="freezing")
    migrations.upgrade(own)
    say(f"loading {partners} partners whose month is frozen")
    with loading(own) as conn:
        distributor, _ = console_data.add_partners(conn, partners, _NOW, _LAST)
        conn.execute(_SMALL_CONTRACT, {"id": uuid4(), "distributor": distributor, "count": SMALL_CONTRACT})
        conn.execute(_PROFILES, {"profile": Jsonb(PROFILE), "now": _NOW})
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")
    say("freezing the month")
    found = Freezing()
    asyncio.run(_freeze(own, distributor, partners, found))
    say("asking for the pages of statements")
    with psycopg.connect(own, autocommit=True) as conn:
        conn.execute("vacuum analyze")
        paths = pages(conn, distributor)
    found.pages = asyncio.run(timed(own, paths, rounds))
    return found


async def _freeze(url: str, distributor: UUID, partners: int, found: Freezing) -> None:
    async with connect(url) as database, open_backends(database, None) as backends:
        services = Services(database, backends)
        before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        actor = Actor(distributor, Kind.DISTRIBUTOR, Role.ADMIN, "job")
        done = await freeze(services, actor, _FIRST, _NOW, incomplete=True)
        found.seconds.append(time.perf_counter() - begin)
        found.growth.append((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)
        if len(done.numbers) != partners or done.blocked:
            raise RuntimeError(f"{len(done.numbers)} of {partners} statements were frozen: {done.blocked[:1]}")
        operator = Actor(await database.run(operator_id), Kind.OPERATOR, Role.ADMIN, "job")
        await freeze(services, operator, _FIRST, _NOW, incomplete=True)


_CONTRACT_STATEMENT = """
select id, seller_id from statement
where contract_id = (select id from contract where name_key = 'small') and number is not null
"""


def pages(conn: psycopg.Connection[Any], distributor: UUID) -> dict[str, tuple[str, str]]:
    """Path and session token of each page, by its label."""
    [(statement_id, operator)] = conn.execute(_CONTRACT_STATEMENT).fetchall()
    statement = f"/statements/{statement_id}"
    buys, sells = (console_data.new_session(conn, one, datetime.now(UTC)) for one in (operator, distributor))
    paths = {
        STATEMENT: statement,
        WORKING: f"{statement}/lines/250",
        "statements": _LIST,
        "statements, last page": f"{_LIST}&page=last",
        "statements, searched for one": f"{_LIST}&q=12345",
        f"the month of {console_data.PARTNERS:,} statements": _MONTH,
    }
    return {label: (path, buys if path.startswith(statement) else sells) for label, path in paths.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, embedded.serve(Path(name) / "server", durable=False) as (_, url):
        found = measure(url, print, int(sys.argv[1]) if len(sys.argv) > 1 else console_data.PARTNERS)
    print(f"{found.seconds[0]:.0f} s, {found.growth[0]:.0f} MB")
    for label, taken in found.pages.items():
        print(f"{statistics.median(taken):8.1f} ms  {min(taken):.1f} .. {max(taken):.1f}  {label}")
