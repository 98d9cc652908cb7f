"""The tenants of `bench.fairness`, created by SQL in bulk."""

import asyncio
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from bench import dataset, hourly, sampling
from bench.dataset import Distributor
from testbed.gateway import ABSENT, Gateway
from tonnage.access.actor import Actor, Kind, Role
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.db import Connection, connect
from tonnage.regions import actions as regions
from tonnage.regions.region import NewRegion
from tonnage.sealing import create_key_file

ACCOUNTS, DAYS = 40_000, 30
"""Lines of the import: one a day and account."""

ELASTIC = 1_000

_ELASTIC = """
with p as (
    update partner set allocated_capacity = 1000000000000 where account_count = %(count)s returning *
), k as (
    update contract set allocated_capacity = 1000000000000 from p where contract.id = p.contract_id
), s as (
    update storage_account set allow_overdraft = true from p where partner_id = p.id
)
select p.id, p.distributor_id, p.contract_id from p
"""


@dataclass(frozen=True)
class Scene:
    """`busy` does the slow work: `partner` has accounts in a metered region, for which `file` has usage, and a partner
    of `elastic` has a thousand elastic ones on a gateway. `elastic_partner` is None without Ceph."""

    url: str
    environment: dict[str, str]
    file: Path
    other: Distributor
    busy: Distributor
    partner: UUID
    elastic: Distributor | None = None
    elastic_partner: UUID | None = None

    @property
    def options(self) -> tuple[str, ...]:
        return ("--database-url", self.url)


@contextmanager
def build(url: str, folder: Path, say: sampling.Say, accounts: int = ACCOUNTS) -> Generator[Scene]:
    """A new database beside the one at `url`."""
    own = sampling.made(folder / "fairness")
    key_file = own / "keys"
    create_key_file(key_file)
    database = sampling.new_database(url, "fairness")
    say(f"creating {accounts:,} accounts")
    scene = asyncio.run(_tenants(database, own / "usage.csv", key_file, accounts))
    with ExitStack() as stack:
        if ABSENT:
            say(ABSENT)
        else:
            gateway = Gateway(sampling.made(own / "ceph"))
            stack.callback(gateway.remove)
            asyncio.run(sampling.prepare(database, gateway, key_file, ELASTIC))
            scene = asyncio.run(_elastic(scene))
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute("vacuum analyze")
        yield scene


async def _tenants(url: str, file: Path, key_file: Path, accounts: int) -> Scene:
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
    async with connect(url, size=1, streams=1) as database:
        by = await database.run(dataset.operator)
        region = NewRegion("metered", *["https://s3.example.org"] * 3)
        await database.run(regions.add_region, by, region, begin)
        busy, other = [await database.run(dataset.new_distributor, by, name) for name in ("Busy", "Other")]
        await database.run(hourly.add_accounts, busy, accounts, begin)
        partner = await database.run(_some_partner, busy.contracts[0])
    with file.open("w") as lines:
        for account in range(hourly.FIRST_ID, hourly.FIRST_ID + accounts):
            for day in range(DAYS):
                lines.write(f"{account},{begin + timedelta(days=day, hours=12):%Y-%m-%dT%H:%M:%SZ},{10**12 + day}\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TONNAGE_")}
    environment |= {"TONNAGE_SECRET_KEY_FILE": str(key_file), "TONNAGE_API_REQUESTS_PER_SECOND": "1000000"}
    return Scene(url, environment, file, other, busy, partner)


async def _some_partner(conn: Connection, contract: UUID) -> UUID:
    cursor = await conn.execute("select id from partner where contract_id = %s limit 1", [contract])
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def _elastic(scene: Scene) -> Scene:
    async with connect(scene.url, size=1, streams=1) as database:
        return await database.transaction(_make_elastic, scene)


async def _make_elastic(conn: Connection, scene: Scene) -> Scene:
    row = await (await conn.execute(_ELASTIC, {"count": ELASTIC})).fetchone()
    assert row is not None
    partner, distributor, contract = row
    by = await dataset.operator(conn)
    key, _ = await api_keys.create_key(conn, by, distributor, NewKey("bench", Role.ADMIN), datetime.now(UTC))
    second = await dataset.new_contract(conn, by, distributor)
    made = Distributor(Actor(distributor, Kind.DISTRIBUTOR, Role.ADMIN, "cli"), key, [contract, second])
    return replace(scene, elastic=made, elastic_partner=partner)
