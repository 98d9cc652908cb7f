"""The walk-through that every new user follows, body for body."""

from typing import Any

import pytest

from tests.api.conftest import AppClient
from tests.cast import TB

pytestmark = pytest.mark.anyio


async def test_from_the_contracts_to_a_resized_partner(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    first = await cast.contract(distributor, 100 * TB, details="Test Contract")
    second = await cast.contract(distributor, 10 * TB, details="Another test contract")
    tester = await cast.partner(distributor, first, 5 * TB, name="Test partner")
    another = await cast.partner(distributor, first, 0, name="Another test partner")
    await cast.partner(distributor, first, 48 * TB, name="The rest")
    key = await client.key(distributor)

    async def ok(method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = await client.call(method, path, key, **more)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def contract(number: Any, reserved: int, allocated: int, details: str) -> dict[str, Any]:
        return {
            "id": str(number),
            "distributorId": str(distributor.organisation_id),
            "reservedCapacity": reserved,
            "allocatedCapacity": allocated,
            "costStorageGBCents": "100",
            "costEgressGBCents": "0",
            "currency": "EUR",
            "details": details,
        }

    assert await ok("GET", "/v1/contract/list") == [
        contract(first, 100000000000000, 53000000000000, "Test Contract"),
        contract(second, 10000000000000, 0, "Another test contract"),
    ]

    def partner(number: Any, name: str, allocated: int) -> dict[str, Any]:
        return {
            "id": str(number),
            "distributorContractId": str(first),
            "name": name,
            "allocatedCapacity": allocated,
        }

    assert (await ok("GET", f"/v1/contract/{first}/partners"))[:2] == [
        partner(tester.organisation_id, "Test partner", 5000000000000),
        partner(another.organisation_id, "Another test partner", 0),
    ]
    body = {"allocatedCapacity": 5000000000000, "distributorContractId": str(first), "name": "New partner company"}
    created = await ok("POST", "/v1/partner", 201, json=body)
    assert created == partner(created["id"], "New partner company", 5000000000000)
    path = f"/v1/partner/{created['id']}"
    assert await ok("PUT", path, json={"name": "Renamed partner"}) == partner(
        created["id"], "Renamed partner", 5000000000000
    )
    resized = partner(created["id"], "Renamed partner", 250000000)
    assert await ok("PUT", path, json={"allocatedCapacity": 250000000}) == resized
    assert await ok("PUT", path, json={"allocatedCapacity": 250000000, "name": "Renamed partner"}) == resized
    assert await ok("PUT", path, json={**resized, "details": "sent back", "unknown": [1]}) == resized
    assert await ok("GET", path) == resized


async def test_fields_that_were_never_set_are_left_out(client: AppClient) -> None:
    distributor = await client.cast.distributor()
    contract = await client.cast.contract(distributor)
    key = await client.key(distributor)
    body = {"allocatedCapacity": 1, "distributorContractId": str(contract), "name": "A", "allowOverdraft": False}
    created = (await client.call("POST", "/v1/partner", key, json=body)).json()
    assert created["allowOverdraft"] is False
    listed = (await client.call("GET", "/v1/contract/list", key)).json()
    assert "details" not in listed[0]
    changed = await client.call("PUT", f"/v1/partner/{created['id']}", key, json={"allowOverdraft": True})
    assert changed.json() == {**created, "allowOverdraft": True}
