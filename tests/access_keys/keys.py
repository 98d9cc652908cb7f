"""What partners do with the access keys of their accounts, through the API."""

from typing import Any

from tests.api.conftest import Business
from tests.clustered import ClusterHouse
from tonnage.access.actor import Role


def keys_path(business: Business, account: int | None = None) -> str:
    return f"/ext/v1/storage-account/{account or business.account}/access-keys"


async def make(house: ClusterHouse, business: Business, **body: Any) -> dict[str, Any]:
    key = await house.key(business.partner, Role.STAFF)
    answer = await house.call("POST", keys_path(business), key, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(house: ClusterHouse, business: Business) -> list[dict[str, Any]]:
    answer = await house.call("GET", keys_path(business), await house.key(business.partner, Role.VIEWER))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def drop(house: ClusterHouse, business: Business, access_key: str) -> int:
    path = f"{keys_path(business)}/{access_key}"
    return (await house.call("DELETE", path, await house.key(business.partner, Role.STAFF))).status_code


async def changed(house: ClusterHouse, path: str, access_key: str, key: str) -> list[tuple[int, str]]:
    """What is said to somebody who makes a key there, and deletes one."""
    answers = [
        await house.call("POST", path, key, json={}),
        await house.call("DELETE", f"{path}/{access_key}", key),
    ]
    return [(answer.status_code, answer.json()["detail"]) for answer in answers]
