"""What an hour's round writes: the samples of all accounts are recorded as by the sampling job, without its gateway.

`python -m bench.hourly [ACCOUNTS] [HOURS]`. Every second hour begins with a checkpoint, after which the first change of
a page writes the whole page to the log. Rounds are an hour apart, so in operation most of them are like that.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench import dataset
from bench.servers import DatabaseServer
from tonnage import embedded, migrations
from tonnage.db import Connection, Database, connect
from tonnage.metering.sampling_actions import BATCH
from tonnage.regions import actions as regions
from tonnage.regions.region import NewRegion
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

ACCOUNTS, HOURS = 50_000, 4
PER_PARTNER = 3
FIRST_ID = 300_000_000_000
_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)

_ROWS = """
with o as (
    insert into organisation (kind, parent_id, name, name_key)
    select 'partner', %(distributor)s, 'Partner ' || n, 'partner ' || n
    from generate_series(1, %(accounts)s / %(per)s + 1) n
    returning id
), p as (
    insert into partner (id, distributor_id, contract_id, allocated_capacity)
    select id, %(distributor)s, %(contract)s, 0 from o returning id
), numbered as (
    select id, row_number() over () - 1 as number from p
)
insert into storage_account (
    id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash, allocated_capacity,
    allow_overdraft, created_at, terms_since)
select %(first)s + n, p.id, (select id from region), 'Customer ' || n, 'customer ' || n, n || '@bench.example.org',
    n || '@bench.example.org', 'none', 0, false, %(now)s, %(now)s
from generate_series(0, %(accounts)s - 1) n join numbered p on p.number = n / %(per)s
"""

_TABLES = """
select relname, sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint
from pg_stat_user_tables where n_tup_upd > 0
group by relname having sum(n_tup_upd) > 100 order by relname
"""


async def _load(database: Database, accounts: int) -> None:
    by = await database.run(dataset.operator)
    await database.run(regions.add_region, by, NewRegion("bench", *["https://s3.example.org"] * 3), _BEGIN)
    owner = await database.run(dataset.new_distributor, by, "Bench")
    await database.run(add_accounts, owner, accounts, _BEGIN)


async def add_accounts(conn: Connection, owner: dataset.Distributor, accounts: int, now: datetime) -> None:
    """In the only region, PER_PARTNER for each of the distributor's new partners, under its first contract."""
    values = {"distributor": owner.actor.organisation_id, "contract": owner.contracts[0]}
    counts = {"accounts": accounts, "per": PER_PARTNER, "first": FIRST_ID, "now": now}
    await conn.execute("set enable_seqscan = off")  # as bench.dataset.loading
    await conn.execute(_ROWS, values | counts)
    await conn.execute("reset enable_seqscan")
    await conn.execute("vacuum analyze")


def _batches(accounts: int, hour: datetime) -> Iterator[list[Sample]]:
    number = int(hour.timestamp()) // 3600
    for first in range(0, accounts, BATCH):
        yield [
            Sample(line, FIRST_ID + first + line, hour, 10**12 + number * 10**6 + line, number)
            for line in range(min(BATCH, accounts - first))
        ]


async def _round(database: Database, accounts: int, hour: datetime) -> None:
    for samples in _batches(accounts, hour):
        await database.transaction(record_samples, samples, hour)


def _wal(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


async def _measure(url: str, accounts: int, hours: int) -> None:
    server = DatabaseServer.at(url)
    async with connect(url) as database:
        await _load(database, accounts)
        for number in range(2 * hours):
            if number % 2:
                await database.run(lambda conn: conn.execute("checkpoint"))
            log, cpu = _wal(url), server.cpu
            await _round(database, accounts, _BEGIN + timedelta(hours=number))
            log, cpu = _wal(url) - log, server.cpu - cpu
            kind = "after a checkpoint" if number % 2 else "without one"
            print(
                f"hour {number:2}, {kind:18}: {log / accounts:6.0f} bytes of WAL, {cpu / accounts * 1e6:4.0f} us of CPU"
                " an account",
                flush=True,
            )
    with psycopg.connect(url) as conn:
        for table, updates, hot in conn.execute(_TABLES):
            print(f"{table}: {updates / accounts / 2 / hours:.2f} updates an account-hour, {hot / updates:.0%} HOT")


def main(accounts: int, hours: int) -> None:
    folder = Path(__file__).parent.parent / "data"  # not in /tmp, which may be memory
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name, embedded.serve(Path(name) / "server") as (_, url):
        migrations.upgrade(url)
        asyncio.run(_measure(url, accounts, hours))


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [ACCOUNTS, HOURS][len(numbers) :]))
