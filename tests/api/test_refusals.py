"""The table of errors: the error of each case, and which one comes first when several apply."""

import json
import uuid
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.cast import TB
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio

LONG_AGO = {"from": "2026-03-01", "to": "2026-03-15"}


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["message"] == problem["detail"]
    assert problem["requestId"] == answer.headers["x-request-id"]
    return problem


async def test_unknown_routes_and_methods_come_before_everything(client: AppClient) -> None:
    for path in ("/v1/nothing", "/v1/contract/list/", "/v2/contract/list", "/v1/"):
        is_problem(await client.call("GET", path), 404)
    answer = await client.call("PATCH", f"/v1/partner/{uuid.uuid4()}", content=b"{")
    is_problem(answer, 405)
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


async def test_no_key_comes_before_a_broken_body(client: AppClient) -> None:
    for content_type in ("application/json", "text/plain"):
        is_problem(await client.call("POST", "/v1/partner", content=b"{", headers={"Content-Type": content_type}), 401)


async def test_the_order_of_checks(client: AppClient, data: AccountData) -> None:
    """Each request has all the faults of those after it."""
    viewer = await client.key(data.distributor, Role.VIEWER)
    admin = await client.key(data.distributor)
    json_type = {"Content-Type": "application/json"}
    path = "/v1/partner/not-a-uuid"
    big = b'{"name": "' + b"x" * 1024 * 1024 + b'"'

    async def put(path: str, key: str, content: bytes, headers: dict[str, str]) -> Any:
        return await client.call("PUT", path, key, content=content, headers=headers)

    is_problem(await put(path, viewer, big, {"Content-Type": "text/plain"}), 403)
    is_problem(await put(path, admin, big, {"Content-Type": "text/plain"}), 415)
    is_problem(await put(path, admin, big, json_type), 413)
    is_problem(await put(path, admin, b"{", json_type), 400)
    problem = is_problem(await put(path, admin, b'{"name": ""}', json_type), 400)
    assert [error["field"] for error in problem["errors"]] == ["partnerID"]
    unknown = f"/v1/partner/{uuid.uuid4()}"
    is_problem(await put(unknown, admin, b'{"name": "", "allocatedCapacity": 9e99}', json_type), 422)
    is_problem(await put(unknown, admin, json.dumps({"allocatedCapacity": 999 * TB}).encode(), json_type), 404)
    known = f"/v1/partner/{data.partner.organisation_id}"
    is_problem(await put(known, admin, json.dumps({"allocatedCapacity": 999 * TB}).encode(), json_type), 409)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\u0007b"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"allocatedCapacity": -1}, "allocatedCapacity"),
        ({"allocatedCapacity": 1.5}, "allocatedCapacity"),
        ({"allocatedCapacity": "1"}, "allocatedCapacity"),
        ({"allocatedCapacity": True}, "allocatedCapacity"),
        ({"allocatedCapacity": 2**63}, "allocatedCapacity"),
        ({"allocatedCapacity": None}, "allocatedCapacity"),
        ({"allowOverdraft": "yes"}, "allowOverdraft"),
        ({"allowOverdraft": 0}, "allowOverdraft"),
        ({"distributorContractId": "606f031c"}, "distributorContractId"),
    ],
)
async def test_fields_of_a_partner(client: AppClient, data: AccountData, body: dict[str, Any], field: str) -> None:
    good = {"name": "A", "allocatedCapacity": 1, "distributorContractId": str(data.contract)}
    key = await client.key(data.distributor)
    problem = is_problem(await client.call("POST", "/v1/partner", key, json={**good, **body}), 422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert field in problem["detail"]


async def test_all_wrong_fields_are_named_at_once(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    body = {"name": "", "clientAccount": {"contactEmail": "nobody", "password": "Secret-but-nodigit"}}
    problem = is_problem(await client.call("POST", "/v1/storage-account", key, json=body), 422)
    assert {error["field"] for error in problem["errors"]} == {
        "allocatedCapacity",
        "allowOverdraft",
        "name",
        "clientAccount.contactEmail",
        "clientAccount.password",
    }
    assert "Secret-but-nodigit" not in json.dumps(problem)


async def test_days(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)

    async def ask(**days: str) -> Any:
        return await client.call("GET", "/v1/storage-accounts/usage", key, params=days)

    def fields(answer: Any, status: int) -> set[str]:
        return {error["field"] for error in is_problem(answer, status)["errors"]}

    for day in ("2026-3-1", "20260301", "2026-02-30", "yesterday", "2026-03-01T00:00:00Z"):
        assert fields(await ask(**{**LONG_AGO, "from": day}), 400) == {"from"}
    assert fields(await ask(), 422) == {"from", "to"}
    assert fields(await ask(to="2026-03-01"), 422) == {"from"}
    assert fields(await ask(**{"from": "2026-03-02", "to": "2026-03-01"}), 422) <= {"from", "to"}
    assert fields(await ask(**{"from": "2025-01-01", "to": "2026-02-05"}), 422) <= {"from", "to"}
    assert (await ask(**{"from": "2025-01-02", "to": "2026-02-05"})).status_code == 200


async def test_invalid_account_ids(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.partner)
    for account in (
        "1",
        "12345678901",
        "1234567890123",
        "abcdefghijkl",
        "12345678901a",
        "٣٢١٠٩٨٧٦٥٤٣٢",
        "000000000000",
    ):
        is_problem(await client.call("GET", f"/v1/storage-account/{account}", key), 404)
        is_problem(await client.call("DELETE", f"/v1/storage-account/{account}", key), 404)


async def test_a_staff_key_adds_no_admin(client: AppClient, data: AccountData) -> None:
    path = f"/v1/partner/{data.partner.organisation_id}/member"
    staff, admin = await client.key(data.distributor, Role.STAFF), await client.key(data.distributor)

    async def add(key: str, role: str) -> Any:
        email = f"{uuid.uuid4().hex}@example.org"
        return await client.call("POST", path, key, json={"email": email, "password": "Sesame-opens-1", "role": role})

    problem = is_problem(await add(staff, "admin"), 403)
    assert (
        problem["detail"] == "Only an admin can create, change or reset a member with the role admin; yours is staff."
    )
    for key, role in ((staff, "staff"), (staff, "viewer"), (admin, "admin")):
        assert (await add(key, role)).status_code == 201


async def test_an_email_is_taken_by_the_living(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    path = f"/v1/partner/{data.partner.organisation_id}/member"
    email = f"ann{uuid.uuid4().hex}@example.org"
    body = {"email": email, "password": "Sesame-opens-1", "role": "viewer", "name": "Ann"}
    made = await client.call("POST", path, key, json=body)
    assert made.json() == {"id": made.json()["id"], "name": "Ann", "email": email, "role": "viewer"}
    is_problem(await client.call("POST", path, key, json={**body, "email": email.upper()}), 409)
    assert (await client.call("DELETE", f"{path}/{made.json()['id']}", key)).status_code == 204
    is_problem(await client.call("DELETE", f"{path}/{made.json()['id']}", key), 404)
    assert (await client.call("POST", path, key, json=body)).status_code == 201


async def test_null_and_whole_numbers_as_other_languages_write_them(client: AppClient, data: AccountData) -> None:
    key = await client.key(data.distributor)
    path = f"/v1/partner/{data.partner.organisation_id}"
    body = b'{"allocatedCapacity": 1.2e13, "allowOverdraft": null, "name": null, "details": null}'
    changed = await client.call("PUT", path, key, content=body, headers={"Content-Type": "application/json"})
    before = await client.call("GET", path, key)
    assert (changed.status_code, changed.json()) == (200, before.json())
    assert changed.json()["allocatedCapacity"] == 12 * TB
    assert b'"allocatedCapacity":12000000000000}' in changed.content.replace(b" ", b"")
    restored = {"pendingDeletedAt": None}
    account = f"/v1/storage-account/{data.account:012}"
    assert (await client.call("DELETE", account, await client.key(data.partner))).status_code == 204
    answer = await client.call("PATCH", account, await client.key(data.partner), json=restored)
    assert (answer.status_code, "pendingDeletedAt" in answer.json()) == (200, False)
