"""Users of a cluster that are no accounts, as its gateway describes them."""

import json
from typing import Any

import pytest

from tests.storage.test_answers import fixed_response, gateway_with
from tonnage.storage.backend import Access, Usage
from tonnage.storage.errors import Misconfigured

pytestmark = pytest.mark.anyio

RECORD: dict[str, Any] = {
    "tenant": "",
    "user_id": "u",
    "display_name": "Customer",
    "email": "",
    "suspended": 0,
    "max_buckets": 1000,
    "subusers": [],
    "keys": [{"user": "u", "access_key": "KEY", "secret_key": "s"}],
    "swift_keys": [],
    "caps": [],
    "op_mask": "read, write, delete",
    "system": "false",
    "admin": "false",
    "type": "rgw",
    "user_quota": {"enabled": False, "check_on_raw": False, "max_size": -1, "max_objects": -1},
    "stats": {"size": 5, "num_objects": 2},
}


async def test_a_user_as_it_is() -> None:
    async with gateway_with(fixed_response(200, json.dumps(RECORD).encode())) as backend:
        user = await backend.unmanaged_user("u")
    assert user is not None
    assert (user.uid, user.account_id, user.usage, user.obstacles) == ("u", None, Usage(5, 2), ())
    assert (user.state.access, user.state.access_keys, user.suspended) == (Access.FULL, ("KEY",), False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"system": "true"}, "system or admin user"),
        ({"system": True}, "system or admin user"),
        ({"admin": "true"}, "system or admin user"),
        ({"caps": [{"type": "users", "perm": "read"}]}, "capabilities"),
        ({"subusers": [{"id": "u:ro", "permissions": "read"}]}, "subusers"),
        ({"swift_keys": [{"user": "u:swift", "secret_key": "s"}]}, "subusers"),
        ({"account_id": "RGW00000000000000001"}, "account of Ceph's own"),
        ({"type": "keystone"}, "from another service: keystone"),
        ({"op_mask": "read"}, "its op-mask is read"),
        ({"op_mask": "<none>"}, "its op-mask is <none>"),
        ({"keys": [{"user": "u", "access_key": "A", "secret_key": "s"}]}, "Tonnage itself uses it"),
    ],
)
async def test_what_keeps_it_from_being_an_account(change: dict[str, Any], reason: str) -> None:
    async with gateway_with(fixed_response(200, json.dumps(RECORD | change).encode())) as backend:
        user = await backend.unmanaged_user("u")
    assert user is not None
    (sentence,) = user.obstacles
    assert reason in sentence


@pytest.mark.parametrize("change", [{"suspended": 1, "op_mask": "read"}, {"suspended": 1}])
async def test_a_suspended_user_can_be_one(change: dict[str, Any]) -> None:
    async with gateway_with(fixed_response(200, json.dumps(RECORD | change).encode())) as backend:
        user = await backend.unmanaged_user("u")
    assert user is not None
    assert (user.suspended, user.obstacles) == (True, ())


@pytest.mark.parametrize(("tenant", "name"), [("t", "u"), ("", "other"), ("acct_123456789012", "main")])
async def test_another_spelling_is_no_user(tenant: str, name: str) -> None:
    record = RECORD | {"tenant": tenant, "user_id": name}
    async with gateway_with(fixed_response(200, json.dumps(record).encode())) as backend:
        assert await backend.unmanaged_user("u") is None
        assert await backend.unmanaged_user(f"{tenant}$${name}") is None


@pytest.mark.parametrize("missing", ["tenant", "keys", "caps", "op_mask", "stats", "user_quota"])
async def test_a_record_that_ceph_would_not_send(missing: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != missing}
    async with gateway_with(fixed_response(200, json.dumps(record).encode())) as backend:
        with pytest.raises(Misconfigured, match="unexpected format"):
            await backend.unmanaged_user("u")
