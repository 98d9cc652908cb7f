"""The deletion of a storage account: grace period, restoration, another date, purge."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import NOW, TB
from tonnage.access.actor import Role
from tonnage.clock import BusinessClock
from tonnage.epoch.epoch import Permit
from tonnage.error_codes import UnavailableCode
from tonnage.errors import Unavailable
from tonnage.provisioning import purge_queries
from tonnage.provisioning.purge_actions import purge_due
from tonnage.storage.backend import ClusterUser
from tonnage.storage.metered import MeteredBackend

pytestmark = [pytest.mark.anyio, pytest.mark.oldest_postgresql]

DUE = NOW + timedelta(days=30)


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Account:
    """One account, and API access for its partner and its distributor."""

    def __init__(self, client: AppClient, data: AccountData, *, by_distributor: bool) -> None:
        self.client = client
        self.actor = data.distributor if by_distributor else data.partner
        prefix = f"/v1/partner/{data.partner.organisation_id}/storage-accounts" if by_distributor else None
        self.path = f"{prefix or '/v1/storage-account'}/{data.account}"

    async def call(self, method: str, role: Role = Role.ADMIN, **more: Any) -> Any:
        return await self.client.call(method, self.path, await self.client.key(self.actor, role), **more)

    async def patch(self, body: dict[str, Any], role: Role = Role.ADMIN) -> Any:
        return await self.call("PATCH", role, json=body)


@pytest.fixture(params=[True, False], ids=["by the distributor", "by the partner"])
def account(client: AppClient, data: AccountData, request: pytest.FixtureRequest) -> Account:
    return Account(client, data, by_distributor=request.param)


async def test_a_deletion_is_scheduled_and_asking_again_keeps_its_date(account: Account) -> None:
    assert "pendingDeletedAt" not in (await account.call("GET")).json()
    answer = await account.call("DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    account.client.clock.now += timedelta(days=3)
    assert (await account.call("DELETE")).status_code == 204
    assert (await account.call("GET")).json()["pendingDeletedAt"] == wire(DUE)


async def test_staff_takes_it_back(account: Account) -> None:
    before = (await account.call("GET")).json()
    await account.call("DELETE")
    assert (await account.patch({"pendingDeletedAt": None}, Role.STAFF)).json() == before
    assert (await account.patch({"pendingDeletedAt": None}, Role.STAFF)).json() == before


async def test_no_date_and_the_same_date_change_nothing(account: Account) -> None:
    await account.call("DELETE")
    pending = (await account.call("GET")).json()
    for body in ({}, {"pendingDeletedAt": wire(DUE)}, pending, {"pendingDeletedAt": "2026-04-14T14:00:00+02:00"}):
        for role in (Role.ADMIN, Role.STAFF):
            answer = await account.patch(body, role)
            assert (answer.status_code, answer.json()) == (200, pending)


async def test_another_date_is_for_admins_and_not_before_the_grace(account: Account) -> None:
    await account.call("DELETE")
    account.client.clock.now += timedelta(days=7)
    later = {"pendingDeletedAt": "2026-12-31"}
    assert (await account.patch(later, Role.STAFF)).status_code == 403
    assert (await account.patch(later)).json()["pendingDeletedAt"] == "2026-12-31T00:00:00Z"
    early = await account.patch({"pendingDeletedAt": wire(DUE - timedelta(seconds=1))})
    assert early.status_code == 422
    assert early.json()["errors"] == [{"field": "pendingDeletedAt", "message": f"must not be earlier than {wire(DUE)}"}]
    assert (await account.patch({"pendingDeletedAt": wire(DUE)})).json()["pendingDeletedAt"] == wire(DUE)


async def test_a_date_for_an_account_that_is_not_scheduled_is_the_first_request(account: Account) -> None:
    assert (await account.patch({"pendingDeletedAt": wire(DUE - timedelta(seconds=1))})).status_code == 422
    assert (await account.patch({"pendingDeletedAt": wire(DUE)}, Role.STAFF)).status_code == 403
    assert (await account.patch({"pendingDeletedAt": wire(DUE)})).json()["pendingDeletedAt"] == wire(DUE)


@pytest.mark.parametrize("date", ["soon", "", 5, True, "2026-02-30", "2026-12-31T25:00:00Z", "2026-12-31T00:00:00", []])
async def test_invalid_dates(account: Account, date: Any) -> None:
    answer = await account.patch({"pendingDeletedAt": date})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["pendingDeletedAt"]


async def test_a_due_account_is_purged_and_its_capacity_released(
    client: AppClient, data: AccountData, account: Account
) -> None:
    await account.call("DELETE")

    async def purge(now: datetime) -> int:
        return await client.cast.purge(now)

    async def deletion_state() -> tuple[Any, ...]:
        return await client.cast.row(
            "select allocated_to_accounts, account_count from partner where id = %s", data.partner.organisation_id
        )

    await purge(DUE - timedelta(seconds=1))
    assert (await account.call("GET")).status_code == 200
    assert await deletion_state() == (TB, 1)
    assert await purge(DUE) >= 1
    assert await deletion_state() == (0, 0)
    for method in ("GET", "DELETE"):
        assert (await account.call(method)).status_code == 404
    assert (await account.patch({"pendingDeletedAt": None})).status_code == 404
    assert await client.cast.row(
        "select contact_email, contact_email_key, password_hash from storage_account where id = %s", data.account
    ) == (None, None, None)
    assert await purge(DUE) == 0


async def test_a_purge_that_has_started_cannot_be_taken_back(
    client: AppClient, data: AccountData, account: Account
) -> None:
    class Unreachable(MeteredBackend):
        async def purge(self, user: ClusterUser) -> None:
            raise Unavailable("The cluster cannot be reached.", UnavailableCode.CLUSTER_UNAVAILABLE)

    await account.call("DELETE")
    (region,) = await client.cast.row("select region_id from storage_account where id = %s", data.account)
    with pytest.raises(Unavailable):
        await purge_due(
            client.cast.database,
            Unreachable(),
            Permit(region, 0, DUE),
            client.cast.operator,
            BusinessClock(lambda: DUE),
            timedelta(0),
        )
    answer = await account.patch({"pendingDeletedAt": None})
    assert (answer.status_code, "can no longer be changed or restored" in answer.json()["detail"]) == (409, True)
    assert await client.cast.purge(DUE) >= 1
    assert (await account.call("GET")).status_code == 404


async def test_two_purges_at_once_free_the_capacity_once(
    client: AppClient, data: AccountData, account: Account
) -> None:
    await account.call("DELETE")
    database, stamp = client.cast.database, client.cast.operator.stamp
    await database.run(purge_queries.start_purges, [data.account], DUE)
    for expected in (True, False):
        finished = await database.transaction(purge_queries.finish_purge, data.account, DUE, stamp)
        assert (finished is not None) is expected
