"""`tonnage account`"""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from testbed.gateway import Gateway
from tests.api.conftest import AccountData
from tests.cast import TB
from tests.ceph_client import REGION, ClusterClient, on_cluster
from tests.cli.command import Command

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]


@pytest.fixture
async def client(
    new_database: Callable[[], AbstractContextManager[str]],
    gateway: Gateway,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[ClusterClient]:
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(tmp_path / "keys"))
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys") as opened:
            yield opened


@pytest.fixture
async def data(client: ClusterClient) -> AccountData:
    return await client.data()


Run = Callable[..., Awaitable[Any]]


@pytest.fixture
def tonnage(client: ClusterClient) -> Run:
    """`await tonnage("ok", "account", "list")`: in a thread, since a command starts its own event loop."""
    command = Command(client.conninfo)

    async def call(how: str, *arguments: str) -> Any:
        return await asyncio.to_thread(getattr(command, how), *arguments)

    return call


async def test_the_operator_makes_a_key_that_a_shell_takes(
    client: ClusterClient, data: AccountData, tonnage: Run
) -> None:
    account = str(data.account)
    result = await tonnage("__call__", "account", "key", "create", account, "--description", "Backup server")
    assert result.exit_code == 0
    shell = ("sh", "-ceu", 'export $(cat); echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY"')
    exported = await asyncio.to_thread(subprocess.check_output, shell, text=True, input=result.stdout)
    access_key, secret_key = exported.split()
    with client.customer(access_key, secret_key) as customer:
        assert customer.attempt("list_buckets") == "done"
        assert (secret_key in result.stderr, "shown only once" in result.stderr) == (False, True)
        (listed,) = await tonnage("json", "account", "key", "list", account)
        assert listed == {
            "accessKey": access_key,
            "description": "Backup server",
            "createdAt": listed["createdAt"],
            "status": "active",
        }
        table = await tonnage("ok", "account", "key", "list", account)
        assert (access_key in table, secret_key in table) == (True, False)
        assert await tonnage("ok", "account", "key", "delete", account, access_key) == ""
        assert customer.attempt("list_buckets") == "InvalidAccessKeyId"
    assert await tonnage("json", "account", "key", "list", account) == []
    actors = await client.cast.row(
        "select array_agg(distinct actor_kind), count(*) from audit_entry where action like 'account.%%-key'"
    )
    assert actors == (["cli"], 2)


async def test_json_has_the_secret_too(client: ClusterClient, data: AccountData, tonnage: Run) -> None:
    made = await tonnage("json", "account", "key", "create", str(data.account))
    assert set(made) == {"accessKey", "secretKey", "createdAt"}
    with client.customer(made["accessKey"], made["secretKey"]) as customer:
        assert customer.attempt("list_buckets") == "done"


async def test_accounts_are_listed_with_partner_and_region(
    client: ClusterClient, data: AccountData, tonnage: Run
) -> None:
    other = await client.cast.partner(data.distributor, data.contract)
    elsewhere = await client.cast.account(other, 0, name="Elsewhere", region=await client.cast.region("metered"))
    (mine,) = await tonnage("json", "account", "list", "--partner", str(data.partner.organisation_id))
    assert mine["clientAccountId"] == str(data.account)
    assert (mine["partnerId"], mine["region"]) == (str(data.partner.organisation_id), REGION)
    assert mine["allocatedCapacity"] == TB
    both = await tonnage("json", "account", "list")
    assert [one["clientAccountId"] for one in both] == [str(data.account), str(elsewhere)]
    table = (await tonnage("ok", "account", "list")).splitlines()
    assert len(table) == 3
    assert ("1 TB" in table[1], "Elsewhere" in table[2], "Pay-per-use" in table[2]) == (True, True, True)


async def test_refusals(client: ClusterClient, data: AccountData, tonnage: Run) -> None:
    account, unknown_id = str(data.account), str(uuid.uuid4())
    assert f"no organisation {unknown_id}" in await tonnage("refused", "account", "list", "--partner", unknown_id)
    for unknown_id in ("999999999999", "1", "x"):
        for command in (("create", unknown_id), ("list", unknown_id), ("delete", unknown_id, "A" * 20)):
            assert f"no storage account {unknown_id}." in await tonnage("refused", "account", "key", *command)
    assert "no such access key" in await tonnage("refused", "account", "key", "delete", account, "A" * 20)
    metered = str(await client.cast.account(data.partner, 0, region=await client.cast.region("metered")))
    assert "created on the cluster itself" in await tonnage("refused", "account", "key", "create", metered)
    assert await tonnage("json", "account", "key", "list", metered) == []
    tabs = ("--description", "a\tb")
    assert "control characters" in await tonnage("misused", "account", "key", "create", account, *tabs)
