"""Access keys while the database is frozen: no key stays active whose secret nobody has."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from testbed.gateway import Gateway
from tests.access_keys.faulty_proxy import FaultyProxy
from tests.api.conftest import AccountData
from tests.ceph_client import ClusterClient, on_cluster
from tests.frozen import FreezableServer
from tonnage import migrations
from tonnage.access_keys import jobs as access_key_jobs
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.actions import create_key
from tonnage.access_keys.clean_up_actions import clean_up_keys
from tonnage.errors import Unavailable
from tonnage.provisioning.key_drift_actions import compare_keys
from tonnage.storage.backend import ClusterUser

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

PENDING, DELETING = b"PUT /admin/user?key=", b"DELETE /admin/user?key="


@pytest.fixture
async def client(freezable: FreezableServer, gateway: Gateway, tmp_path: Path) -> AsyncGenerator[ClusterClient]:
    """In a database of its own on the server that can be frozen."""
    name = f"keys_{uuid4().hex}"
    with psycopg.connect(freezable.conninfo, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    conninfo = make_conninfo(freezable.conninfo, dbname=name)
    migrations.upgrade(conninfo)
    async with on_cluster(conninfo, gateway, tmp_path / "keys") as client:
        yield client
        freezable.thaw()


async def freeze_before_activation(
    client: ClusterClient, data: AccountData, proxy: FaultyProxy, freezable: FreezableServer
) -> asyncio.Task[object]:
    """A key that is being created: on the cluster at once, and active when the database can."""
    proxy.delay_prefix = PENDING
    partner = data.partner
    creating = create_key(client.services, partner, partner.organisation_id, data.account, None, deadline=5.0)
    task: asyncio.Task[object] = asyncio.create_task(creating)
    async with asyncio.timeout(60):
        await proxy.delayed.wait()
    freezable.freeze()
    proxy.delay_prefix = DELETING
    proxy.delayed.clear()
    proxy.resume.set()
    return task


async def thaw(client: ClusterClient, freezable: FreezableServer) -> None:
    """Ends when the server has executed what it had been sent."""
    freezable.thaw()
    busy = """
        select count(*) from pg_stat_activity
        where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()
    """
    async with asyncio.timeout(60):
        while await client.cast.row(busy) != (0,):
            pass


async def states(client: ClusterClient, data: AccountData) -> list[str]:
    found = await client.database.run(access_key_queries.keys_of, [data.account])
    return sorted(found.get(data.account, {}).values())


async def keys_on_gateway(client: ClusterClient, data: AccountData) -> tuple[str, ...]:
    return await (await client.backend()).keys(ClusterUser(data.account))


async def audited(client: ClusterClient, action: str) -> int:
    (count,) = await client.cast.row("select count(*) from audit_entry where action = %s", action)
    return count


async def test_a_key_whose_activation_was_not_confirmed_is_given_up(
    client: ClusterClient, proxy: FaultyProxy, freezable: FreezableServer
) -> None:
    data = await client.data()
    creating = await freeze_before_activation(client, data, proxy, freezable)
    async with asyncio.timeout(60):
        await proxy.delayed.wait()
    await thaw(client, freezable)
    with pytest.raises(Unavailable, match="in time"):
        await creating
    assert await states(client, data) == ["deleting"]
    assert await audited(client, "account.create-key") == await audited(client, "account.delete-key")
    asked_for = "select args->>'subject' from procrastinate_jobs where task_name = 'access_keys.clean_up'"
    assert await client.cast.row(asked_for) == (str(client.region_id),)
    await access_key_jobs.clean_up(client.services, str(client.region_id))
    assert (await states(client, data), await keys_on_gateway(client, data)) == ([], ())


async def test_a_key_that_the_database_cannot_record_is_not_on_the_cluster(
    client: ClusterClient, proxy: FaultyProxy, freezable: FreezableServer
) -> None:
    data = await client.data()
    creating = await freeze_before_activation(client, data, proxy, freezable)
    with pytest.raises(Unavailable, match="in time"):
        await creating
    await thaw(client, freezable)
    assert await keys_on_gateway(client, data) == ()
    # What the next full reconcile does, and the job that looks every minute.
    before = await client.database.run(access_key_queries.keys_of, [data.account])
    await compare_keys(client.database, client.cast.operator, before, {data.account: ()}, repair=True)
    late = client.clock.now + timedelta(minutes=2)
    await clean_up_keys(client.database, await client.backend(), await client.permit_changes(), late)
    assert await states(client, data) == []
