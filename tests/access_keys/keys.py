"""Operations of the API on a storage account's access keys."""

from typing import Any

from tests.api.conftest import AccountData
from tests.ceph_client import ClusterClient
from tonnage.access.actor import Role


def keys_path(data: AccountData, account: int | None = None) -> str:
    return f"/ext/v1/storage-account/{account or data.account}/access-keys"


async def create_key(client: ClusterClient, data: AccountData, **body: Any) -> dict[str, Any]:
    key = await client.key(data.partner, Role.STAFF)
    answer = await client.call("POST", keys_path(data), key, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def list_keys(client: ClusterClient, data: AccountData) -> list[dict[str, Any]]:
    answer = await client.call("GET", keys_path(data), await client.key(data.partner, Role.VIEWER))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def delete_key(client: ClusterClient, data: AccountData, access_key: str) -> int:
    path = f"{keys_path(data)}/{access_key}"
    return (await client.call("DELETE", path, await client.key(data.partner, Role.STAFF))).status_code


async def refused_changes(client: ClusterClient, path: str, access_key: str, key: str) -> list[tuple[int, str]]:
    """Status and detail of the refusals when a key is created and deleted."""
    answers = [
        await client.call("POST", path, key, json={}),
        await client.call("DELETE", f"{path}/{access_key}", key),
    ]
    return [(answer.status_code, answer.json()["detail"]) for answer in answers]
