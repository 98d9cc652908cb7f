"""Numbers of documents are recorded outside of the database, and a restored one goes on after them."""

import asyncio
import stat
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import AppClient, application
from tests.cli.command import Command
from tests.roles import url_of
from tests.statements.months import APRIL, MARCH, Sellers, sellers_with_prices
from tests.statements.test_statements_api import call
from tonnage.credit_notes.actions import create_credit_note
from tonnage.epoch.queries import installation
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.month_end.freezing_actions import freeze
from tonnage.numbering.actions import NumberStores, open_stores, record, recorded
from tonnage.numbering.queries import missing
from tonnage.numbering.series import Gap, Series
from tonnage.numbers_file import NumbersFile
from tonnage.recovery.actions import ConfirmOptions, confirm, inspect
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.state_file import StateFile
from tonnage.storage.bucket import ObjectList, StoredObject
from tonnage.utc import day_of, month_before

pytestmark = pytest.mark.oldest_postgresql

NOW = datetime(2026, 4, 3, tzinfo=UTC)
INSTALLATION = UUID(int=7)
SERIES = Series(UUID(int=8), "INV-{year}-{number:05}", 2026)


@dataclass
class MemoryBucket:
    """As a cluster has it."""

    is_away: bool = False
    keys: set[str] = field(default_factory=set[str])

    async def objects(self, prefix: str) -> ObjectList:
        self._reach()
        return ObjectList(NOW, tuple(StoredObject(key, NOW) for key in sorted(self.keys) if key.startswith(prefix)))

    async def create(self, key: str, content: bytes = b"") -> bool:
        self._reach()
        is_new = key not in self.keys
        self.keys.add(key)
        return is_new

    async def read(self, key: str) -> bytes | None:
        return b"" if key in self.keys else None

    async def delete(self, key: str) -> None:
        self._reach()
        self.keys.discard(key)

    def _reach(self) -> None:
        if self.is_away:
            raise Unavailable("away", UnavailableCode.CLUSTER_UNAVAILABLE)


async def numbers_in(stores: NumberStores) -> Mapping[Series, int]:
    return (await recorded(stores, has_epoch=False)).numbers


@pytest.fixture
def file(tmp_path: Path) -> NumbersFile:
    return NumbersFile(tmp_path, INSTALLATION)


def test_the_highest_number_of_each_series_counts(file: NumbersFile, tmp_path: Path) -> None:
    """Lines that a process could not finish, or that are damaged, are none."""
    assert file.read() is None
    for series, number in (("a", 3), ("b", 1), ("a", 12), ("a", 5)):
        file.add(series, number)
    path = tmp_path / f"numbers-{INSTALLATION}.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("ab") as torn:
        torn.write(b"a 1300 \nx\n\xff\nb 99999999999999999999999\nb 17\x00\nb 2")
    assert file.read() == {"a": 12, "b": 2}
    file.add("b", 3)
    assert file.read() == {"a": 12, "b": 3}


@pytest.mark.anyio
async def test_one_place_is_enough(file: NumbersFile, tmp_path: Path) -> None:
    near, far = MemoryBucket(), MemoryBucket(is_away=True)
    stores = NumberStores(INSTALLATION, file, [("near", near), ("far", far), ("unopened", None)])
    other = replace(SERIES, format="B{number}", year=0)
    for series, number in ((SERIES, 12), (SERIES, 13), (other, 4)):
        await record(stores, series, number)
        await asyncio.gather(*stores.unfinished)  # a disk may be slower than a store in memory
    assert len(near.keys) == 2, "only the last number of a series stays"
    found = {SERIES: 13, other: 4}
    assert await numbers_in(stores) == found
    assert await numbers_in(replace(stores, file=None)) == found
    assert await numbers_in(replace(stores, buckets=[("far", far), ("unopened", None)])) == found
    # Two processes may write in another order.
    near.keys.add(min(near.keys).replace("13", "11"))
    assert await numbers_in(replace(stores, file=None)) == found
    (tmp_path / f"numbers-{INSTALLATION}.txt").unlink()
    (tmp_path / f"numbers-{INSTALLATION}.txt").mkdir()
    await record(stores, SERIES, 14)
    near.is_away = True
    with pytest.raises(Unavailable, match="neither in the data directory nor on a storage cluster"):
        await record(stores, SERIES, 15)


_NO_SERIES = (
    "",
    "x",
    "{id}/2026/49z",
    "{id}/26/49",
    "{id}/2026/",
    "{id}/2026/00",
    "{id}/2026/ff",
    "-" * 36 + "/2026/49",
)


@pytest.mark.parametrize("key", _NO_SERIES)
def test_what_is_no_series(key: str) -> None:
    assert Series.of_key(key.replace("{id}", str(INSTALLATION))) is None
    assert Series.of_key(SERIES.key) == SERIES


@pytest.fixture
async def client(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with application(conninfo) as client:
            yield client


@pytest.fixture
async def data(client: AppClient) -> Sellers:
    client.clock.now = APRIL
    return await sellers_with_prices(client.cast)


def beside(client: AppClient, folder: Path) -> Services:
    database = client.cast.database
    return Services(database, OpenBackends(database, None), data_dir=folder)


@pytest.mark.anyio
async def test_no_number_is_given_that_is_not_recorded(client: AppClient, data: Sellers, tmp_path: Path) -> None:
    """Neither to statements nor to credit notes."""
    services = beside(client, tmp_path)
    path = tmp_path / f"numbers-{(await open_stores(services)).installation}.txt"
    path.mkdir()
    with pytest.raises(Unavailable):
        await freeze(services, data.distributor, MARCH, APRIL)
    assert await data.rows("number", data.distributor) == [(None,)]
    path.rmdir()
    assert (await freeze(services, data.distributor, MARCH, APRIL)).numbers == ["INV-2026-00001"]
    ((statement_id,),) = await data.rows("id", data.distributor)
    stores = await open_stores(services)
    path.rename(path.with_suffix(".aside"))
    path.mkdir()
    with pytest.raises(Unavailable):
        await client.cast.database.transaction(
            create_credit_note, stores, data.distributor, statement_id, None, "Outage", APRIL
        )
    path.rmdir()
    await client.cast.database.transaction(
        create_credit_note, stores, data.distributor, statement_id, None, "Outage", APRIL
    )
    series = Series(data.distributor.organisation_id, "INV-{year}-{number:05}", 2026)
    assert await numbers_in(stores) == {series: 2}


@pytest.mark.anyio
async def test_a_restored_database_goes_on_after_the_numbers_that_it_lacks(
    client: AppClient, data: Sellers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number 1 is in the backup. 2 to 12 were given afterwards, and those of a seller that the backup does not have."""
    services, operator = beside(client, tmp_path), client.cast.operator
    zoe = await data.another("Zoe")  # blocked until she has an address
    await freeze(services, data.distributor, MARCH, APRIL)
    found = await client.cast.database.run(installation)
    series = Series(data.distributor.organisation_id, "INV-{year}-{number:05}", 2026)
    file, nobody = NumbersFile(tmp_path, found.id), replace(series, seller_id=uuid4())
    file.add(series.key, 12)
    file.add(nobody.key, 5)
    assert (await inspect(services, operator)).numbers == [], "no restore: a freeze was interrupted"
    StateFile(tmp_path, found.id).add(found.epoch + 3)
    assert (await inspect(services, operator)).numbers == [Gap(series, 2, 12)]
    monkeypatch.setenv("TONNAGE_DATA_DIR", str(tmp_path))
    lines = (await asyncio.to_thread(Command(url_of(client.cast.database)), "restore", "check")).stdout.splitlines()
    assert f"  of {series.seller_id}: INV-2026-00002 to INV-2026-00012" in lines

    done = await confirm(services, operator, ConfirmOptions())
    assert done.numbers == [Gap(series, 2, 12)]
    await data.describe(zoe)
    assert (await freeze(services, data.distributor, MARCH, APRIL)).numbers == ["INV-2026-00013"]
    assert (await inspect(services, operator)).numbers == []
    month = f"{month_before(day_of(services.wall_clock())):%Y-%m}"
    client.clock.now = services.wall_clock()
    noted = (await call(client, data.distributor, "GET", f"months/{month}")).json()["gaps"]
    assert [one["numbers"] for one in noted] == ["INV-2026-00002 to INV-2026-00012"]
    ann = await client.sign_in(data.distributor)
    page = await ann.get(f"/statements/months/{month}")
    assert "The numbers INV-2026-00002 to INV-2026-00012 are missing." in page.text
    entries = (await ann.get("/audit?action=statements.skip")).text
    assert "INV-2026-00002 to INV-2026-00012" in entries


@pytest.mark.anyio
async def test_a_database_of_a_minute_ago_is_known_to_be_older(
    client: AppClient, data: Sellers, tmp_path: Path
) -> None:
    """Numbers advance the epoch: a lagging standby that took over has a lower one."""
    services = beside(client, tmp_path)
    before = (await client.cast.database.run(installation)).epoch
    await freeze(services, data.distributor, MARCH, APRIL)
    found = await client.cast.database.run(installation)
    assert StateFile(tmp_path, found.id).read().epoch == found.epoch > before


@pytest.mark.anyio
async def test_series_of_formats_that_the_database_does_not_know(
    client: AppClient, data: Sellers, tmp_path: Path
) -> None:
    """Its first number is the seller's, unless fewer were given."""
    await data.number(data.distributor, number_start=100)
    seller = data.distributor.organisation_id
    known, short = Series(seller, "INV-{year}-{number}", 2026), Series(seller, "B{number}", 0)
    assert await client.cast.database.run(missing, {known: 101, short: 7}) == [Gap(known, 100, 101), Gap(short, 1, 7)]


@pytest.mark.anyio
async def test_a_restore_is_not_confirmed_while_no_place_can_be_read(
    client: AppClient, data: Sellers, tmp_path: Path
) -> None:
    services, operator = beside(client, tmp_path), client.cast.operator
    await freeze(services, data.distributor, MARCH, APRIL)
    path = tmp_path / f"numbers-{(await client.cast.database.run(installation)).id}.txt"
    path.unlink()
    path.mkdir()
    assert not (await inspect(services, operator)).is_clean
    with pytest.raises(Unavailable, match="cannot be read"):
        await confirm(services, operator, ConfirmOptions())


@pytest.mark.anyio
async def test_a_cluster_that_hangs_keeps_nobody_waiting(file: NumbersFile) -> None:
    released = asyncio.Event()

    class Hanging(MemoryBucket):
        async def create(self, key: str, content: bytes = b"") -> bool:
            await released.wait()
            return await super().create(key, content)

    far = Hanging()
    stores = NumberStores(INSTALLATION, file, [("far", far)])
    await record(stores, SERIES, 12)
    assert far.keys == set()
    released.set()
    await asyncio.wait(stores.unfinished)
    assert await numbers_in(replace(stores, file=None)) == {SERIES: 12}
