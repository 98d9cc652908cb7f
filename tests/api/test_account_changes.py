"""Storage accounts under /ext/v1: region, representation, changes, password, suspension."""

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.api.conftest import AccountData, AppClient
from tests.cast import NOW, TB
from tonnage.access.actor import Role
from tonnage.access.lists import latest_audit

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

LARGEST = 2**63 - 1


class Account:
    """One account, and API access for its partner and its distributor."""

    def __init__(self, client: AppClient, data: AccountData, *, by_distributor: bool) -> None:
        self.client = client
        self.data = data
        self.actor = data.distributor if by_distributor else data.partner
        prefix = f"/partner/{data.partner.organisation_id}/storage-accounts" if by_distributor else None
        self.list_path = prefix or "/storage-account/list"
        self.path = f"{prefix or '/storage-account'}/{data.account}"

    async def call(self, method: str, more: str = "", role: Role = Role.STAFF, **body: Any) -> Any:
        key = await self.client.key(self.actor, role)
        return await self.client.call(method, f"/ext/v1{self.path}{more}", key, **({"json": body} if body else {}))

    async def patch(self, **body: Any) -> Any:
        return await self.call("PATCH", **body)

    async def view(self) -> dict[str, Any]:
        answer = await self.call("GET", role=Role.VIEWER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def published(self, method: str = "GET", **more: Any) -> Any:
        return await self.client.call(method, f"/v1{self.path}", await self.client.key(self.actor), **more)

    async def terms(self) -> list[Any]:
        (rows,) = await self.client.cast.row(
            "select array_agg(jsonb_build_array(allocated_capacity, allow_overdraft) order by id)"
            " from account_terms where account_id = %s",
            self.data.account,
        )
        return rows

    async def given(self) -> int:
        (given,) = await self.client.cast.row(
            "select allocated_to_accounts from partner where id = %s", self.data.partner.organisation_id
        )
        return given

    async def audit(self) -> list[tuple[str, Any, Any]]:
        """The account's audit entries except its creation."""
        query = latest_audit(self.data.partner.organisation_id, 100)

        async def ask(conn: Any) -> Any:
            return await (await conn.execute(*query())).fetchall()

        entries = [json.loads(entry) for _, entry in await self.client.cast.database.run(ask)]
        return [
            (entry["action"], entry.get("before"), entry.get("after"))
            for entry in entries
            if entry["action"].startswith("account.") and entry["action"] != "account.create"
        ]

    async def begin_purge(self) -> None:
        await self.published("DELETE")
        await self.client.cast.row(
            "update storage_account set purge_started_at = pending_deleted_at where id = %s returning 1",
            self.data.account,
        )


@pytest.fixture(params=[True, False], ids=["by the distributor", "by the partner"])
def account(client: AppClient, data: AccountData, request: pytest.FixtureRequest) -> Account:
    return Account(client, data, by_distributor=request.param)


async def test_the_whole_view(account: Account) -> None:
    view = await account.view()
    published = (await account.published()).json()
    (region,) = await account.client.cast.row("select name from region where is_default")
    assert view == {
        **published,
        "region": region,
        "createdAt": "2026-03-15T12:00:00Z",
        "used": 0,
        "provisioning": "metered",
        "state": {"name": "normal"},
    }
    await account.client.cast.row(
        "update account_usage set used = 7, objects = 3, measured_at = %s where account_id = %s returning 1",
        NOW + timedelta(seconds=1.5),
        account.data.account,
    )
    measured = {"used": 7, "objects": 3, "measuredAt": "2026-03-15T12:00:01Z"}
    assert await account.view() == {**view, **measured}
    listed = await account.client.call(
        "GET", f"/ext/v1{account.list_path}", await account.client.key(account.actor, Role.VIEWER)
    )
    assert listed.json() == [{**view, **measured}]
    assert (await account.published()).json() == published


async def test_an_account_lives_in_the_region_that_is_asked_for(account: Account) -> None:
    client = account.client
    key = await client.key(account.actor)
    region = await client.cast.region()
    path = account.path.rpartition("/")[0]

    async def create(**more: Any) -> Any:
        owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1"}
        body = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner, **more}
        return await client.call("POST", f"/v1{path}", key, json=body)

    made = await create(region=region)
    assert made.status_code == 201, made.text
    assert "region" not in made.json()
    one = await client.call("GET", f"/ext/v1{path}/{made.json()['clientAccountId']}", key)
    assert one.json()["region"] == region
    unknown = await create(region="nowhere-1")
    assert (unknown.status_code, unknown.json()["detail"]) == (
        404,
        "There is no region nowhere-1. GET /v1/integration/regions/list lists all of them.",
    )
    for wrong in ("", 5, "a\nb"):
        refused = await create(region=wrong)
        assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, ["region"])


async def test_an_unknown_partner_comes_before_an_unknown_region(client: AppClient, data: AccountData) -> None:
    owner = {"contactEmail": f"{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1"}
    body = {"name": "A", "allocatedCapacity": 0, "allowOverdraft": False, "clientAccount": owner, "region": "nowhere-1"}
    key = await client.key(data.distributor)
    answer = await client.call("POST", f"/v1/partner/{uuid.uuid4()}/storage-accounts", key, json=body)
    assert (answer.status_code, "There is no partner" in answer.json()["detail"]) == (404, True)


async def test_only_the_given_fields_change(account: Account) -> None:
    before = await account.view()
    account.client.clock.now += timedelta(days=1)
    renamed = await account.patch(name=" Renamed ", somethingElse=1, pendingDeletedAt="2026-12-31")
    assert (renamed.status_code, renamed.json()) == (200, {**before, "name": "Renamed"})
    assert await account.terms() == [[TB, False]]
    resized = await account.patch(allocatedCapacity=3 * TB)
    assert resized.json() == {**before, "name": "Renamed", "allocatedCapacity": 3 * TB}
    assert await account.given() == 3 * TB
    lenient = await account.patch(allowOverdraft=True)
    after = {**before, "name": "Renamed", "allocatedCapacity": 3 * TB, "allowOverdraft": True}
    assert lenient.json() == after == await account.view()
    assert await account.terms() == [[TB, False], [3 * TB, False], [3 * TB, True]]
    facts = [
        {"name": name, "allocatedCapacity": allocated, "allowOverdraft": overdraft}
        for name, allocated, overdraft in (
            (before["name"], TB, False),
            ("Renamed", TB, False),
            ("Renamed", 3 * TB, False),
            ("Renamed", 3 * TB, True),
        )
    ]
    entries = [
        ("account.update", old, {**new, "revision": revision}) for revision, (old, new) in enumerate(pairwise(facts), 2)
    ]
    assert await account.audit() == entries
    for nothing in ({}, after, {"name": "Renamed"}, {"allocatedCapacity": 3 * TB, "allowOverdraft": True}):
        key = await account.client.key(account.actor, Role.STAFF)
        same = await account.client.call("PATCH", f"/ext/v1{account.path}", key, json=nothing)
        assert (same.status_code, same.json()) == (200, after)
    assert len(await account.terms()) == 3
    assert await account.audit() == entries


async def test_terms_never_go_back_in_time(account: Account) -> None:
    account.client.clock.now -= timedelta(days=1)
    assert (await account.patch(allocatedCapacity=0)).status_code == 200
    assert await account.client.cast.row(
        "select max(valid_from), min(valid_from) from account_terms where account_id = %s", account.data.account
    ) == (NOW, NOW)


async def test_an_allocation_is_a_part_of_the_partners(account: Account) -> None:
    await account.client.cast.account(account.data.partner, 4 * TB)
    refused = await account.patch(allocatedCapacity=6 * TB + 1, name="Not renamed")
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "Not enough capacity: the partner has 6 TB (6000000000000 bytes) of its 10 TB (10000000000000 "
        "bytes) left, 6 TB (6000000000001 bytes) asked. Ask for less, or have the partner's allocation "
        "increased."
    )
    assert (await account.view())["name"] != "Not renamed"
    for allowed in (6 * TB, 0, 1, 6 * TB):
        assert (await account.patch(allocatedCapacity=allowed)).json()["allocatedCapacity"] == allowed
        assert await account.given() == 4 * TB + allowed
    assert (await account.patch(allocatedCapacity=LARGEST)).status_code == 409


@pytest.mark.parametrize(("allocated", "overdraft"), [(0, False), (TB, True)])
async def test_only_the_largest_number_bounds_the_others(
    client: AppClient, data: AccountData, allocated: int, overdraft: bool
) -> None:
    partner = await client.cast.partner(data.distributor, data.contract, allocated, overdraft=overdraft)
    await client.cast.account(partner, 5)
    one = await client.cast.account(partner, 7)
    path = f"/ext/v1/storage-account/{one}"
    key = await client.key(partner)
    answer = await client.call("PATCH", path, key, json={"allocatedCapacity": LARGEST - 4})
    assert (answer.status_code, "have 5 bytes, and" in answer.json()["detail"]) == (409, True)
    answer = await client.call("PATCH", path, key, json={"allocatedCapacity": LARGEST - 5})
    assert answer.json()["allocatedCapacity"] == LARGEST - 5


async def test_an_allocation_may_be_less_than_the_usage(account: Account) -> None:
    async def use(conn: Any) -> None:
        for table, key, number in (
            ("account_usage", "account_id", account.data.account),
            ("partner", "id", account.data.partner.organisation_id),
            ("contract", "id", account.data.contract),
        ):
            await conn.execute(f"update {table} set used = used + %s where {key} = %s", [TB, number])

    await account.client.cast.database.transaction(use)
    answer = await account.patch(allocatedCapacity=5)
    assert (answer.status_code, answer.json()["allocatedCapacity"], answer.json()["used"]) == (200, 5, TB)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"allocatedCapacity": -1}, "allocatedCapacity"),
        ({"allocatedCapacity": 2**63}, "allocatedCapacity"),
        ({"allowOverdraft": "yes"}, "allowOverdraft"),
    ],
)
async def test_fields_that_break_a_rule(account: Account, body: dict[str, Any], field: str) -> None:
    answer = await account.patch(**body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_while_waiting_for_deletion_all_of_it_goes_on(account: Account) -> None:
    await account.published("DELETE")
    answers = [
        await account.patch(name="Leaving", allocatedCapacity=2 * TB),
        await account.call("PUT", "/suspension", reason="Unpaid"),
        await account.call("PUT", "/password", password="Sesame-opens-2"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 204]
    view = await account.view()
    assert (view["name"], view["pendingDeletedAt"]) == ("Leaving", "2026-04-14T12:00:00Z")
    assert view["suspension"] == {"reason": "Unpaid", "since": "2026-03-15T12:00:00Z"}
    await account.published("PATCH", json={"pendingDeletedAt": None})
    assert (await account.view())["suspension"] == view["suspension"]


def all_fields(account: Account) -> list[Callable[[], Any]]:
    return [
        lambda: account.patch(name="Too late"),
        lambda: account.call("PUT", "/suspension", reason="Too late"),
        lambda: account.call("DELETE", "/suspension"),
        lambda: account.call("PUT", "/password", password="Sesame-opens-2"),
    ]


async def test_once_the_purge_has_started_it_is_too_late(account: Account) -> None:
    await account.call("PUT", "/suspension", reason="Unpaid")
    await account.begin_purge()
    before = await account.client.cast.row(
        "select to_jsonb(s) from storage_account s where id = %s", account.data.account
    )
    audit = await account.audit()
    for change in all_fields(account):
        answer = await change()
        assert (answer.status_code, "can no longer be changed" in answer.json()["detail"]) == (409, True)
    assert before == await account.client.cast.row(
        "select to_jsonb(s) from storage_account s where id = %s", account.data.account
    )
    assert audit == await account.audit()
    assert (await account.view())["suspension"]["reason"] == "Unpaid"


async def test_a_purged_account_is_not_found(account: Account) -> None:
    await account.published("DELETE")
    await account.client.cast.purge(NOW + timedelta(days=30))
    for change in (*all_fields(account), lambda: account.call("GET")):
        assert (await change()).status_code == 404


async def test_a_suspension(account: Account) -> None:
    before = await account.view()
    first = await account.call("PUT", "/suspension", reason="  Unpaid ")
    since = "2026-03-15T12:00:00Z"
    closed = {**before, "state": {"name": "closed", "cause": "person"}}
    assert (first.status_code, first.json()) == (200, {**closed, "suspension": {"reason": "Unpaid", "since": since}})
    account.client.clock.now += timedelta(hours=1)
    for reason in ("Unpaid", "Still unpaid"):
        again = await account.call("PUT", "/suspension", reason=reason)
        assert again.json() == {**closed, "suspension": {"reason": reason, "since": since}} == await account.view()
    for _ in range(2):
        resumed = await account.call("DELETE", "/suspension")
        assert (resumed.status_code, resumed.content) == (204, b"")
        assert await account.view() == before
    assert await account.audit() == [
        ("account.suspend", None, {"reason": "Unpaid", "revision": 2}),
        ("account.suspend", {"reason": "Unpaid"}, {"reason": "Still unpaid", "revision": 3}),
        ("account.resume", {"reason": "Still unpaid"}, {"revision": 4}),
    ]
    later = await account.call("PUT", "/suspension", reason="Again")
    assert later.json()["suspension"]["since"] == "2026-03-15T13:00:00Z"


@pytest.mark.parametrize("reason", [None, "", " ", 5, "a\nb", "x" * 201, "\0"])
async def test_invalid_reasons(account: Account, reason: Any) -> None:
    answer = await account.call("PUT", "/suspension", reason=reason)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, ["reason"])
    assert "suspension" not in await account.view()


async def test_a_password_is_set(account: Account) -> None:
    answer = await account.call("PUT", "/password", password="Sesame-opens-2")
    assert (answer.status_code, answer.content) == (204, b"")
    (stored,) = await account.client.cast.row(
        "select password_hash from storage_account where id = %s", account.data.account
    )
    assert PasswordHasher().verify(stored, "Sesame-opens-2")
    assert await account.audit() == [("account.set-password", None, None)]
    for weak in ("Short-1", "no-digits-in-Here", None):
        refused = await account.call("PUT", "/password", password=weak)
        assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, ["password"])
        assert weak is None or weak not in refused.text


async def test_invalid_account_ids(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    for number in ("1", "abcdefghijkl", "000000000000", "999999999999"):
        for method, more, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "A"}),
            ("PUT", "/password", {"password": "Sesame-opens-2"}),
            ("PUT", "/suspension", {"reason": "A"}),
            ("DELETE", "/suspension", None),
        ):
            answer = await client.call(
                method, f"/ext/v1/storage-account/{number}{more}", key, **({"json": body} if body else {})
            )
            assert answer.status_code == 404, (method, number, answer.text)
