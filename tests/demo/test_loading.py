"""The sample data: that of the walk-through, and more."""

import json
import stat
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from tests.cast import TB
from tests.demo.starting import NOW, URL, documents, kept, names, one, start
from tonnage.access.actor import Kind, Role
from tonnage.api_keys.key_cache import KeyCache
from tonnage.clock import WallClock
from tonnage.contracts.queries import contracts_of
from tonnage.db import Connection, Database
from tonnage.demo import scene
from tonnage.partners.queries import partners_of
from tonnage.password_rules import account_password

pytestmark = pytest.mark.anyio

CONTRACT = UUID("606f031c-0f85-4444-8c7d-4a8f1ede7cd3")
WALK_THROUGH_CONTRACTS = [
    {
        "id": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
        "distributorId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
        "reservedCapacity": 100000000000000,
        "allocatedCapacity": 53000000000000,
        "costStorageGBCents": "100",
        "costEgressGBCents": "0",
        "currency": "EUR",
        "details": "Impossible Cloud Test Contract",
    },
    {
        "id": "bb0a102d-ad4b-4738-b405-561add97abbb",
        "distributorId": "7e1fe78d-3f61-4215-8c48-eda9e1b08f13",
        "reservedCapacity": 10000000000000,
        "allocatedCapacity": 0,
        "costStorageGBCents": "100",
        "costEgressGBCents": "0",
        "currency": "EUR",
        "details": "Another test contract",
    },
]
WALK_THROUGH_PARTNERS = [
    {
        "id": "e37e6c0f-688e-4da4-8717-a52b48bcee3d",
        "distributorContractId": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
        "name": "Test partner",
        "allocatedCapacity": 5000000000000,
    },
    {
        "id": "e4985686-c089-46fd-ae82-0af7ce2888bf",
        "distributorContractId": "606f031c-0f85-4444-8c7d-4a8f1ede7cd3",
        "name": "Another test partner",
        "allocatedCapacity": 0,
    },
]


async def test_the_data_of_the_walk_through(database: Database, tmp_path: Path) -> None:
    await start(database, tmp_path)
    assert await documents(database, contracts_of(scene.DISTRIBUTOR.id)) == WALK_THROUGH_CONTRACTS
    partners = await documents(database, partners_of(scene.DISTRIBUTOR.id, CONTRACT))
    assert partners[:2] == WALK_THROUGH_PARTNERS
    assert [partner["allocatedCapacity"] for partner in partners[2:]] == [48 * TB]


async def test_every_key_has_the_role_of_its_name(database: Database, tmp_path: Path) -> None:
    made = await start(database, tmp_path)
    keys = kept(tmp_path).keys
    assert made.admin_key == keys["distributor_admin"]
    ring = KeyCache(database, WallClock(lambda: NOW))
    expected = {
        "distributor_admin": (Kind.DISTRIBUTOR, Role.ADMIN),
        "distributor_staff": (Kind.DISTRIBUTOR, Role.STAFF),
        "distributor_viewer": (Kind.DISTRIBUTOR, Role.VIEWER),
        "partner_admin": (Kind.PARTNER, Role.ADMIN),
        "partner_viewer": (Kind.PARTNER, Role.VIEWER),
        "other_distributor_admin": (Kind.DISTRIBUTOR, Role.ADMIN),
        "other_partner_admin": (Kind.PARTNER, Role.ADMIN),
    }
    actors = {name: (await ring.admit(key)).actor for name, key in keys.items()}
    assert {name: (actor.kind, actor.role) for name, actor in actors.items()} == expected
    assert str(actors["partner_admin"].organisation_id) == WALK_THROUGH_PARTNERS[0]["id"]
    assert actors["other_distributor_admin"].organisation_id != scene.DISTRIBUTOR.id


async def test_the_members_can_sign_in_and_the_key_file_is_private(database: Database, tmp_path: Path) -> None:
    await start(database, tmp_path / "new" / "folder")
    path = tmp_path / "new" / "folder" / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [name.partition("-")[0] for name in names(path.parent)] == ["demo.json", "installation", "numbers"]
    content = json.loads(path.read_bytes())
    assert list(content) == ["base_url", "keys", "members"]
    assert content["base_url"] == URL
    roles = [(member["organisation"], member["role"]) for member in content["members"]]
    everything = ["admin", "staff", "viewer"]
    assert roles == [
        *[("Test distributor", role) for role in everything],
        *[("Test partner", role) for role in everything],
        ("Other distributor", "admin"),
        ("Other partner", "admin"),
        *[("Operator", role) for role in everything],
    ]

    async def hashes(conn: Connection) -> dict[str, str]:
        return dict(await (await conn.execute("select email, password_hash from member")).fetchall())

    stored = await database.run(hashes)
    for member in content["members"]:
        assert account_password(member["password"])
        assert PasswordHasher().verify(stored[member["email"]], member["password"])


async def test_thirteen_months_are_there_and_the_totals_are_right(database: Database, tmp_path: Path) -> None:
    await start(database, tmp_path)
    first, last, days = await one(database, "select min(day), max(day), count(distinct day) from daily_usage")
    assert (NOW.date() - first).days >= 390
    assert last == NOW.date()
    assert days == (last - first).days + 1
    assert await one(database, "select count(*) > 12, sum(used) > 0 from account_usage") == (True, True)
    wrong = await one(
        database,
        """
        select
            (select count(*) from account_usage s where s.used <> (
                select bytes from usage_sample u where u.account_id = s.account_id order by sampled_at desc limit 1)),
            (select count(*) from partner p where (p.used, p.allocated_to_accounts, p.account_count) <> (
                select sum(used), sum(allocated_capacity), count(*)
                from storage_account a join account_usage u on u.account_id = a.id where a.partner_id = p.id)),
            (select count(*) from contract k where (k.used, k.allocated_capacity) <> (
                select coalesce(sum(used), 0), coalesce(sum(allocated_capacity), 0) from partner
                where contract_id = k.id))
        """,
    )
    assert wrong == (0, 0, 0)
    special = await one(
        database,
        """
        select count(*) filter (where pending_deleted_at > '2026-03-15'),
               count(*) filter (where allocated_capacity = 0),
               count(*) filter (where used > allocated_capacity and allocated_capacity > 0 and allow_overdraft)
        from storage_account join account_usage on account_id = id
        """,
    )
    assert special == (1, 3, 2)
