"""ETag and If-Match: a change of a thing that another client has changed meanwhile is not made."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from tests.api.changes import CHANGES, prepared
from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tests.source import FILES
from tests.unchanged import assert_same, snapshot
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

OF_ONE_THING = [
    route
    for route in CHANGES
    if route.methods != {"POST"} and not route.path.endswith("/member/{memberID}")
    if "/price-assignments/" not in route.path
    if not route.path.endswith(("/alert-levels", "/contact-mails", "/secrets/{secretID}"))
]
"""The changes of a partner, a storage account, a draft of prices or a webhook. Assignments are added, and none is
changed; levels and a switch are set as a whole, and a secret is only revoked."""


def test_they_are_found() -> None:
    assert len(OF_ONE_THING) >= 14


@pytest.mark.parametrize("route", OF_ONE_THING, ids=lambda route: f"{route.name} {route.path}")
async def test_in_another_revision_nothing_is_changed(route: APIRoute, client: AppClient, data: AccountData) -> None:
    operation, key = await prepared(route, client, data)
    before = await client.cast.database.run(snapshot)
    for tag in ('"999"', 'W/"1"', '"another"', '""'):
        headers = {"If-Match": tag, "Authorization": f"Bearer {key}"}
        response = await client.http.request(operation.method, operation.path, headers=headers, **operation.more)
        assert response.status_code == 412, response.text
        problem = response.json()
        assert {"id", "clientAccountId", "organisationId", "partnerId", "number"} & problem["current"].keys()
        assert re.fullmatch(r'"[0-9]+"', response.headers["etag"])
    assert_same(before, await client.cast.database.run(snapshot))


@pytest.mark.parametrize("route", OF_ONE_THING, ids=lambda route: f"{route.name} {route.path}")
async def test_in_the_expected_revision_it_is(route: APIRoute, client: AppClient, data: AccountData) -> None:
    operation, key = await prepared(route, client, data)
    refused = await client.call(operation.method, operation.path, key, headers={"If-Match": '"999"'}, **operation.more)
    headers = {"If-Match": refused.headers["etag"]}
    response = await client.call(operation.method, operation.path, key, headers=headers, **operation.more)
    assert response.status_code < 300, response.text


async def test_the_tag_changes_with_what_people_set_and_with_nothing_else(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    partner = f"/v1/partner/{data.partner.organisation_id}"
    account = f"{partner}/storage-accounts/{data.account}"
    extended = account.replace("/v1", "/ext/v1", 1)
    other = str(await client.cast.contract(data.distributor))

    async def tags() -> tuple[str, str]:
        found = [(await client.call("GET", path, key)).headers["etag"] for path in (partner, account, extended)]
        assert found[1] == found[2], "one account, one tag"
        return found[0], found[1]

    async def change(method: str, path: str, body: dict[str, object] | None) -> None:
        before = await tags()
        response = await client.call(method, path, key, json=body)
        assert response.status_code < 300, response.text
        after = await tags()
        assert [old != new for old, new in zip(before, after, strict=True)] == [path == partner, path != partner], path
        if "etag" in response.headers:
            assert response.headers["etag"] in after
        again = await client.call(method, path, key, json=body)
        assert again.status_code < 300, again.text
        assert await tags() == after, "nothing was changed"

    await change("PUT", partner, {"name": "Renamed"})
    await change("PUT", partner, {"allocatedCapacity": 11 * TB})
    await change("PUT", partner, {"allowOverdraft": True})
    await change("PATCH", extended, {"name": "Renamed"})
    await change("PATCH", extended, {"allocatedCapacity": 2 * TB})
    await change("PATCH", extended, {"allowOverdraft": True})
    await change("PUT", f"{extended}/suspension", {"reason": "Unpaid"})
    await change("PUT", f"{extended}/suspension", {"reason": "Still unpaid"})
    await change("DELETE", f"{extended}/suspension", None)
    await change("DELETE", account, None)
    await change("PATCH", account, {"pendingDeletedAt": None})
    before = await tags()
    moved = await client.call("PUT", f"/ext/v1{partner[3:]}/contract", key, json={"distributorContractId": other})
    assert moved.status_code == 200
    after = await tags()
    assert (after[0] != before[0], after[1]) == (True, before[1])
    assert moved.headers["etag"] == after[0]


@pytest.mark.oldest_postgresql
async def test_of_two_at_once_one_is_refused(client: AppClient, data: AccountData) -> None:
    key, path = await client.key(data.distributor), f"/v1/partner/{data.partner.organisation_id}"
    tag = (await client.call("GET", path, key)).headers["etag"]
    responses = await asyncio.gather(
        *(
            client.call("PUT", path, key, json={"allocatedCapacity": 20 * TB + n}, headers={"If-Match": tag})
            for n in range(6)
        )
    )
    assert sorted({response.status_code for response in responses}) == [200, 412]
    (made,) = [response for response in responses if response.status_code == 200]
    assert (await client.call("GET", path, key)).json() == made.json()


async def test_what_was_created_has_the_tag_that_is_read(client: AppClient, data: AccountData) -> None:
    without_tag = (
        "/member",
        "/price-books",
        "/publication",
        "/adjustments",
        "/credit-notes",
        "/webhooks",
        "/secrets",
        "/test",
    )
    creations = [route for route in CHANGES if route.status_code == 201 and not route.path.endswith(without_tag)]
    assert len(creations) == 4
    for route in creations:
        operation, key = await prepared(route, client, data)
        created = await client.call(operation.method, operation.path, key, **operation.more)
        found = created.json()
        path = operation.path
        path = f"{path}/{found.get('id') or found.get('clientAccountId') or found['number']}"
        assert (await client.call("GET", path, key)).headers["etag"] == created.headers["etag"]


async def test_a_change_that_changes_nothing_needs_the_revision_too(client: AppClient, data: AccountData) -> None:
    path = f"/v1/partner/{data.partner.organisation_id}/storage-accounts/{data.account}"
    staff = await client.key(data.distributor, Role.STAFF)
    assert (await client.call("DELETE", path, await client.key(data.distributor))).status_code == 204
    account = await client.call("GET", path, staff)
    for body in ({}, {"pendingDeletedAt": account.json()["pendingDeletedAt"]}):
        refused = await client.call("PATCH", path, staff, json=body, headers={"If-Match": '"999"'})
        assert (refused.status_code, refused.json()["current"]) == (412, account.json())
        same = await client.call("PATCH", path, staff, json=body, headers={"If-Match": account.headers["etag"]})
        assert (same.status_code, same.json(), same.headers["etag"]) == (200, account.json(), account.headers["etag"])


async def test_an_unknown_thing_is_not_found_in_any_revision(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    for path in ("/v1/partner/4b14e456-ef23-46ed-9070-f5eaf1b5ef04", f"/v1/partner/{data.contract}"):
        response = await client.call("PUT", path, key, json={"name": "B"}, headers={"If-Match": '"1"'})
        assert response.status_code == 404


@pytest.mark.parametrize("value", ["1", '"1', '"1", "2"', "W/1", ""])
async def test_a_malformed_tag_is_refused(client: AppClient, data: AccountData, value: str) -> None:
    path = f"/v1/partner/{data.partner.organisation_id}"
    key = await client.key(data.distributor)
    response = await client.call("PUT", path, key, json={"name": "B"}, headers={"If-Match": value})
    assert response.status_code == 400, response.text
    assert "If-Match" in response.json()["detail"]


async def test_any_revision(client: AppClient, data: AccountData) -> None:
    path = f"/v1/partner/{data.partner.organisation_id}"
    key = await client.key(data.distributor)
    response = await client.call("PUT", path, key, json={"name": "B"}, headers={"If-Match": "*"})
    assert response.status_code == 200


FIELDS = ("name", "contract_id", "allocated_capacity", "allow_overdraft", "suspension_reason", "pending_deleted_at")
SET_BY_PEOPLE = re.compile(rf"\b(?:{'|'.join(FIELDS)}) = (?!(?:p|parent|old)\.)")
UPDATE = re.compile(r"update (?:partner|storage_account)\b.*?\bset\b(.*?)\n\s+(?:from|where)\b", re.DOTALL)


def updates() -> Iterator[tuple[str, str]]:
    """The updates of partners and storage accounts in our SQL, each up to its FROM or WHERE."""
    for path in FILES:
        for found in UPDATE.finditer(path.read_text()):
            yield path.name, found[1]


def test_whoever_changes_what_people_set_changes_the_revision() -> None:
    """The totals' statements copy the limits from the locked row, which changes nothing."""
    changing = [(name, text) for name, text in updates() if SET_BY_PEOPLE.search(text)]
    assert len(changing) >= 6
    assert [name for name, text in changing if "revision = " not in text.replace("desired_revision = ", "")] == []
