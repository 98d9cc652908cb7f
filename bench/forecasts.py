"""How long the forecasts of all accounts, partners and contracts take, and the pages that are sorted by them.

`python -m bench.forecasts [PARTNERS]` measures this; it is no part of `make bench`. Each partner has three accounts
with an allocation, all with a history of 120 days: half of them grow, and so are computed.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from bench import console_data
from bench.console import ROUNDS, timed
from bench.dataset import loading
from tonnage import embedded, migrations
from tonnage.clock import WallClock
from tonnage.db import connect
from tonnage.forecasts.actions import compute
from tonnage.forecasts.bootstrap import READ_DAYS
from tonnage.forecasts.queries import ForecastRun

_ALLOCATED: LiteralString = "update storage_account set allocated_capacity = 400000000000"

# Half of them grow by up to 1 percent a day, the others shrink; a tenth of that is noise.
_DAYS: LiteralString = """
insert into daily_usage (account_id, day, usage, closing, samples)
select account_id, day, usage, usage, 24 from (
    select u.account_id, %(last)s::date - back as day, greatest(0, round(
        u.used * (1 - back * (u.account_id %% 21 - 10) / 1000.0 * (0.9 + random() / 5))))::bigint as usage
    from account_usage u, generate_series(0, %(days)s - 1) back
) d
"""

_SUMS: LiteralString = """
insert into partner_usage (partner_id, day, usage)
select s.partner_id, d.day, sum(d.usage) from daily_usage d join storage_account s on s.id = d.account_id
group by 1, 2 order by 1, 2
"""


def measure(url: str, partners: int) -> None:
    """On a new database; prints seconds, and milliseconds of the pages of the operator, a distributor and a partner."""
    migrations.upgrade(url)
    now = datetime.now(UTC)
    with loading(url) as conn:
        distributor, _ = console_data.add_partners(conn, partners, now, now.date() - timedelta(days=1))
        _add_days(conn, now.date() - timedelta(days=1))
    run = asyncio.run(_computed(url, now))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{run.seconds:8.1f} s   {run.forecasts} forecasts of {run.subjects}; {memory} MB", flush=True)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("vacuum analyze")
        tokens = {
            "all": ("/operator", console_data.new_session(conn, _operator(conn), datetime.now(UTC))),
            "own": ("/distributor", console_data.new_session(conn, distributor, datetime.now(UTC))),
        }
    paths = {
        f"{whose} {what}{how}": (f"{path}/{what}?{query}", token)
        for whose, (path, token) in tokens.items()
        for what in ("partners", "accounts", "contracts")
        if (whose, what) != ("own", "accounts")
        for how, query in {
            ", by use": "sort=used",
            ", by forecast": "sort=full",
            ", by forecast, last page": "sort=full&page=last",
        }.items()
    }
    for label, taken in asyncio.run(timed(url, paths, ROUNDS)).items():
        print(f"{statistics.median(taken):8.1f} ms  {min(taken):.1f} .. {max(taken):.1f}  {label}")


def _add_days(conn: psycopg.Connection[Any], last: date) -> None:
    numbers = {"last": last, "days": READ_DAYS}
    months = sorted({(last - timedelta(days=back)).replace(day=1) for back in range(READ_DAYS)})
    conn.execute("select ensure_usage_partitions(%s, %s)", [months[0], months[-1]])
    conn.execute(_ALLOCATED)
    conn.execute("set session_replication_role = replica")
    begin = time.perf_counter()
    conn.execute(_DAYS, numbers)
    conn.execute("truncate partner_usage")
    conn.execute(_SUMS)
    conn.execute("set session_replication_role = origin")
    conn.execute("vacuum analyze")
    print(f"{time.perf_counter() - begin:8.1f} s   to load the history", flush=True)


async def _computed(url: str, now: datetime) -> ForecastRun:
    async with connect(url) as database:
        return await compute(database, now, WallClock())


def _operator(conn: psycopg.Connection[Any]) -> UUID:
    row = conn.execute("select operator_id()").fetchone()
    if row is None:
        raise LookupError("operator")
    return row[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, embedded.serve(Path(name) / "server", durable=False) as (_, url):
        measure(url, int(sys.argv[1]) if len(sys.argv) > 1 else console_data.PARTNERS)
