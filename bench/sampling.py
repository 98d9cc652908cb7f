"""The duration of a region's sampling: accounts on a throw-away gateway, read by the product in its own process.

`python -m bench.sampling [ACCOUNTS]` measures this alone.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from testbed.gateway import ABSENT
from testbed.gateway import Gateway as Testbed
from tonnage import embedded, migrations
from tonnage.access.actor import Actor, Kind, Role
from tonnage.contracts import actions as contracts
from tonnage.contracts.contract import NewContract
from tonnage.db import Connection, connect
from tonnage.organisations import actions as organisations
from tonnage.organisations.queries import operator_id
from tonnage.partners import actions as partners
from tonnage.partners.partner import NewPartner
from tonnage.regions import actions as regions
from tonnage.regions import queries
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sealing import create_key_file
from tonnage.storage.backend import AccessKey, ClusterUser
from tonnage.storage.ceph import CephBackend
from tonnage.storage.ceph_account import uid
from tonnage.storage.concurrency import for_each_concurrently
from tonnage.storage.signing import GatewayAuth
from tonnage.units import MAX_CAPACITY

ACCOUNTS = 10_000
_STORING = 300
"""Number of accounts that have a bucket with an object of _SIZE bytes."""

_SIZE = 4_321

_FIRST_ID = 100_000_000_000

_ACCOUNTS = """
with s as (
    insert into storage_account (
        id, partner_id, region_id, name, name_key, contact_email, contact_email_key, password_hash, allocated_capacity,
        allow_overdraft, created_at, terms_since, desired_revision, applied_revision)
    select %(first)s + n, p.id, %(region)s, 'Customer ' || n, 'customer ' || n, n || '@example.org',
        n || '@example.org', 'none', 0, false, %(now)s, %(now)s, 1, 1
    from partner p, generate_series(0, %(count)s - 1) n where p.id = %(partner)s returning *
), t as (
    insert into account_terms (account_id, valid_from, allocated_capacity, allow_overdraft)
    select id, created_at, allocated_capacity, allow_overdraft from s
)
update partner set account_count = account_count + %(count)s where id = %(partner)s
"""

Say = Callable[[str], None]


def measure(url: str, folder: Path, say: Say, accounts: int = ACCOUNTS) -> list[float]:
    """Seconds of one run, on a new database beside the one at `url`; None without Ceph's programs."""
    if ABSENT:
        say(ABSENT)
        return []
    own = made(folder / "sampling")
    key_file = own / "keys"
    create_key_file(key_file)
    gateway = Testbed(made(own / "ceph"))
    try:
        database = new_database(url, "sampling")
        say(f"putting {accounts} accounts on a gateway")
        begin = time.monotonic()
        region = asyncio.run(prepare(database, gateway, key_file, accounts))
        say(f"they are there after {time.monotonic() - begin:.0f} s")
        command = [sys.executable, "-m", "bench.sampler", database, str(key_file), str(region)]
        seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        _check(database, accounts)
        say(f"sampled in {seconds:.1f} s")
        return [seconds]
    finally:
        gateway.remove()


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def new_database(url: str, name: str) -> str:
    """A migrated database on the server at `url`."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
    created = make_conninfo(url, dbname=name)
    migrations.upgrade(created)
    return created


async def prepare(url: str, gateway: Testbed, key_file: Path, accounts: int) -> int:
    reached = Gateway(gateway.address, gateway.access_key, gateway.secret_key)
    async with connect(url) as database:
        region = await database.transaction(_rows, reached, key_file, accounts)
    await _on_gateway(gateway, accounts)
    return region


async def _rows(conn: Connection, gateway: Gateway, key_file: Path, accounts: int) -> int:
    """Inserts a region on the gateway and a partner whose accounts are recorded as provisioned."""
    operator = Actor(await operator_id(conn), Kind.OPERATOR, Role.ADMIN, "cli")
    now = datetime.now(UTC)
    details = NewRegion("sampled", gateway.admin_url, gateway.admin_url, gateway.admin_url)
    await regions.add_region(conn, operator, details, now, gateway=gateway, key_file=key_file)
    (cluster,) = await queries.clusters(conn)
    await queries.set_identity_unverified(conn, cluster, None)
    distributor = Actor(
        await organisations.create_distributor(conn, operator, "Sampled", now), Kind.DISTRIBUTOR, Role.ADMIN, "cli"
    )
    terms = NewContract(MAX_CAPACITY, Decimal(100), "EUR")
    contract = await contracts.create_contract(conn, operator, distributor.organisation_id, terms, now)
    partner = await partners.create_partner(conn, distributor, NewPartner(contract.id, "Sampled", 0, None), now)
    numbers = {"first": _FIRST_ID, "region": cluster.region_id, "count": accounts, "now": now}
    await conn.execute(_ACCOUNTS, {**numbers, "partner": partner.id})
    return cluster.region_id


async def _on_gateway(gateway: Testbed, accounts: int) -> None:
    """One call creates an account. Its quota would take two more, and makes no difference to reading."""
    key = AccessKey(gateway.access_key, gateway.secret_key)
    backend = CephBackend(gateway.address, key)
    async with httpx.AsyncClient(base_url=gateway.address, timeout=30, trust_env=False) as http:

        async def make(account_id: int) -> None:
            user = {"uid": uid(account_id), "display-name": "Customer", "generate-key": "false"}
            answer = await http.put(f"/admin/user?{urlencode(user, quote_via=quote)}", auth=GatewayAuth(key))
            answer.raise_for_status()
            if account_id < _FIRST_ID + _STORING:
                await store(account_id)

        async def store(account_id: int) -> None:
            own = GatewayAuth(await backend.create_key(ClusterUser(account_id), f"SAMPLED{account_id}"))
            for path, content in (("/data", b""), ("/data/object", b"x" * _SIZE)):
                (await http.put(path, content=content, auth=own)).raise_for_status()

        outcome = await for_each_concurrently(range(_FIRST_ID, _FIRST_ID + accounts), make)
    await backend.close()
    if outcome.failed:
        raise outcome.failed[0][1]


def _check(url: str, accounts: int) -> None:
    """Checks that every account was sampled with its stored bytes."""
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "select (select (sampled, missed, finished_at is not null)::text from sampling_run),"
            " (select sum(bytes) from usage_sample)"
        ).fetchone()
    assert found == (f"({accounts},0,t)", min(accounts, _STORING) * _SIZE), found


def _main(accounts: int) -> None:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name, embedded.serve(made(Path(name) / "server"), durable=False) as (_, url):
        measure(
            url, Path(name), lambda line: print(f"[{time.monotonic() - begin:4.0f} s] {line}", flush=True), accounts
        )


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS)
