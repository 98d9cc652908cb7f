"""How long the nightly job takes to freeze the month of many sellers with three buyers each.

`python -m bench.small_sellers [SELLERS]` measures this alone.
"""

import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import LiteralString

import psycopg
import uvloop
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from bench import console_data
from bench.dataset import loading
from bench.freezing import PROFILE
from tonnage import embedded, migrations
from tonnage.db import connect
from tonnage.month_end.freezing_actions import freeze_due
from tonnage.regions.backends import open_backends
from tonnage.services import Services

SELLERS = 1_000

_LAST, _NOW = date(2026, 10, 31), datetime(2026, 11, 3, 2, tzinfo=UTC)

# The partners are the sellers, each with a book of its own; the distributor's book would make it one more.
_PRICES: LiteralString = """
with none as (update price_book set is_default = false), book as (
    insert into price_book (seller_id, name, name_key, currency, is_default, created_at)
    select id, 'Prices', 'prices', 'EUR', true, %(now)s from partner returning id
)
insert into price_version (
    book_id, number, valid_from, reserved, excess, pay_per_use, prorate_minimums, created_at, published_at, publication)
select id, 1, '2020-01-01', 0.9, 1.4, 1.2, true, %(now)s, %(now)s, 1 from book
"""

_PARTIES: LiteralString = """
with rate as (insert into tax_rate select id, '2020-01-01', 19 from organisation), seller as (
    insert into billing_profile (keeper_id, organisation_id, profile, changed_at)
    select id, id, %(profile)s, %(now)s from partner
)
insert into billing_profile (keeper_id, account_id, profile, changed_at)
select partner_id, id, %(profile)s, %(now)s from storage_account
"""

_TERMS: LiteralString = """
insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
select id, terms_since, 100000000000, false from storage_account
"""


def measure(url: str, sellers: int = SELLERS) -> float:
    """Milliseconds for each seller, on a new database beside the one at `url`."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create database small_sellers")
    own = make_conninfo(url, dbname="small_sellers")
    migrations.upgrade(own)
    with loading(own) as conn:
        console_data.add_partners(conn, sellers, _NOW, _LAST)
        conn.execute(_PRICES, {"now": _NOW})
        conn.execute(_PARTIES, {"profile": Jsonb(PROFILE), "now": _NOW})
        conn.execute(_TERMS)
        conn.execute("vacuum analyze")
    return uvloop.run(_freeze(own, sellers)) * 1000 / sellers


async def _freeze(url: str, sellers: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        async with connect(url) as database, open_backends(database, None) as backends:
            begin = time.perf_counter()
            await freeze_due(Services(database, backends, data_dir=Path(name)), _NOW)
            seconds = time.perf_counter() - begin
    with psycopg.connect(url) as conn:
        found = conn.execute("select count(*), count(distinct seller_id) from statement where number is not null")
        if (counted := found.fetchone()) != (sellers * console_data.ACCOUNTS_EACH, sellers):
            raise RuntimeError(f"statements and sellers that were frozen: {counted}")
    return seconds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, embedded.serve(Path(name) / "server", durable=False) as (_, url):
        taken = measure(url, int(sys.argv[1]) if len(sys.argv) > 1 else SELLERS)
    print(f"{taken:.1f} ms a seller, {taken * 100 / 60:.0f} min for 100,000")
