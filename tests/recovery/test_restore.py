"""A database is put back from a backup, beside a real gateway that went on: nothing is lost, everything is listed."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from testbed.gateway import Gateway
from tests.ceph_client import on_cluster
from tests.recovery.scene import ALL_OBJECTS, MAILS, Restored, before, go_on, restored
from tests.roles import as_owner
from tests.schema import program
from tonnage import embedded, migrations
from tonnage.accounts.actions import delete_account
from tonnage.api_keys.queries import find_key
from tonnage.epoch.actions import advance, check
from tonnage.epoch.epoch import OnHold
from tonnage.epoch.queries import installation
from tonnage.errors import Unauthenticated
from tonnage.provisioning.drift_actions import confirm_cluster
from tonnage.recovery.actions import ConfirmOptions, confirm, inspect
from tonnage.regions.queries import clusters
from tonnage.storage.backend import Access
from tonnage.storage.errors import Misconfigured
from tonnage.tokens import digest

pytestmark = [pytest.mark.anyio, pytest.mark.ceph]

HELD = (
    "provisioning.purge_all",
    "provisioning.purge_region",
    "provisioning.reconcile",
    "access_keys.clean_up_all",
    "access_keys.clean_up",
    "authentication.send_reset",
    "authentication.notify_blocked",
)


def dump(conninfo: str, file: Path) -> None:
    subprocess.run(
        [program("pg_dump"), "--format=custom", f"--file={file}", f"--dbname={as_owner(conninfo)}"], check=True
    )


def put_back(conninfo: str, file: Path) -> None:
    """Into a new database of the same name, as the operator's guide says."""
    owner = as_owner(conninfo)
    name = str(conninfo_to_dict(conninfo)["dbname"])
    with psycopg.connect(make_conninfo(owner, dbname="postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    subprocess.run([program("pg_restore"), "--exit-on-error", f"--dbname={owner}", file], check=True)


async def test_pg_restore(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> None:
    """The data directory is the one of now."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys", data_dir=tmp_path / "data") as client:
            company = await before(client)
            dump(conninfo, tmp_path / "backup")
            await go_on(company)
        put_back(conninfo, tmp_path / "backup")
        async with restored(company, conninfo, tmp_path / "data") as database:
            await everything_newer_is_kept_and_listed(database)
            await all_is_well_after_the_confirmation(database)


async def test_a_data_directory_that_was_copied_back(gateway: Gateway, tmp_path: Path) -> None:
    """The database and what is recorded beside it are of one moment: only the cluster knows better."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    with embedded.serve(data, durable=False) as (_, conninfo):
        migrations.upgrade(conninfo)
        async with on_cluster(conninfo, gateway, data / "keys", data_dir=data) as client:
            company = await before(client)
    shutil.copytree(data, copy, symlinks=True)
    with embedded.serve(data, durable=False) as (_, conninfo):
        async with restored(company, conninfo, data, days=0) as same:
            company.client.cast, company.client.app.state.services = same.cast, same.services
            await go_on(company)
    shutil.rmtree(data)
    shutil.copytree(copy, data, symlinks=True)
    with embedded.serve(data, durable=False) as (_, conninfo):
        async with restored(company, conninfo, data) as database:
            await everything_newer_is_kept_and_listed(database)
            await all_is_well_after_the_confirmation(database)


async def everything_newer_is_kept_and_listed(database: Restored) -> None:
    company = database.company
    there = await database.states()
    hold = await check(database.services)
    assert hold is not None
    assert "older than what was done" in hold.reason
    for job in HELD:
        with pytest.raises(OnHold):
            await database.perform(job)
    await database.perform("provisioning.full_reconcile")
    assert await database.states() == there
    assert database.objects() == ALL_OBJECTS
    assert len(company.outbox.sent) == MAILS
    quota = "quota (1 TB there, 0 B here)"
    assert await database.drift() == {
        f"storage account {company.kept}": f"differs in access (full there, read-only here), {quota}",
        f"deletion of storage account {company.kept}": "is scheduled here, but not marked on the cluster",
        f"storage account {company.raised}": "differs in quota (3 TB there, 1 TB here)",
        f"storage account {company.resumed}": f"differs in access (full there, suspended here), {quota}",
        f"storage account {company.opened}": "is on the cluster, but not in the database",
        f"access key {company.new_key} of storage account {company.raised}": "was not created here",
        f"access key CUSTOMER{company.kept} of storage account {company.kept}": "was not created here",
    }
    known = await database.database.run(find_key, digest(company.api_key))
    assert known is not None
    with pytest.raises(Unauthenticated):
        known.admit(company.client.clock.now)
    found = await inspect(database.services, company.client.cast.operator)
    assert not found.is_clean
    assert {kind for kind, _, _ in found.active_again} == {"API key", "member"}
    (region,) = found.regions
    assert {one.account_id: one.marked for one in region.waiting} == {company.kept: False, company.gone: True}
    assert found.mails == MAILS


async def all_is_well_after_the_confirmation(database: Restored) -> None:
    company = database.company
    done = await confirm(database.services, company.client.cast.operator, ConfirmOptions())
    assert done.deletions == [company.kept]
    assert (done.keys, done.members, done.mails, done.regions) == (1, 1, MAILS, {"on-ceph": True})
    assert await check(database.services) is None
    await database.work()
    there = await database.states()
    kept, raised, resumed = (there[one] for one in (company.kept, company.raised, company.resumed))
    assert kept is not None
    assert kept.access is Access.FULL
    assert raised is not None
    assert raised.quota == 10**12, "the database's state, as nobody decided otherwise"
    assert resumed is not None
    assert resumed.access is Access.SUSPENDED
    assert there[company.opened] is not None
    await database.perform("provisioning.purge_region")
    there = await database.states()
    assert there[company.gone] is None, "its deletion was due on both sides"
    assert there[company.kept] is not None
    assert database.objects() == ALL_OBJECTS
    assert len(company.outbox.sent) == MAILS
    epoch = (await database.database.run(installation)).epoch
    found = await inspect(database.services, company.client.cast.operator)
    assert {record.epoch for record in found.records} == {epoch}
    rows: Any = await database.cast.row("select count(*) from member where id = %s", company.member)
    assert rows == (0,)


async def test_a_cluster_that_was_away_during_the_confirmation_is_not_changed_until_it_was_compared(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> None:
    """Its epoch is higher than the backup's, but not than the confirmed one: so it is no reason for another hold."""
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys", data_dir=tmp_path / "data") as client:
            company = await before(client)
            dump(conninfo, tmp_path / "backup")
            await go_on(company)
        put_back(conninfo, tmp_path / "backup")
        async with restored(company, conninfo, tmp_path / "data", days=1) as database:
            there, operator = await database.states(), company.client.cast.operator
            address = await _move_cluster(database, "http://127.0.0.1:1")
            assert (await confirm(database.services, operator, ConfirmOptions())).regions == {"on-ceph": False}
            await _move_cluster(database, address)
            for job in ("provisioning.reconcile", "provisioning.full_reconcile", "provisioning.purge_region"):
                with pytest.raises(Misconfigured, match="could not be compared"):
                    await database.perform(job)
            await database.perform("provisioning.verify_identity")  # `tonnage region connect` defers it
            with pytest.raises(Misconfigured):
                await database.perform("provisioning.full_reconcile")
            with pytest.raises(Misconfigured):  # `tonnage storage reconcile`
                await database.database.transaction(confirm_cluster, operator, *await database.database.run(clusters))
            assert await check(database.services) is None
            (region,) = (await inspect(database.services, operator)).regions
            assert region.unconfirmed
            done = await confirm(database.services, operator, ConfirmOptions())
            assert (done.deletions, done.regions) == ([company.kept], {"on-ceph": True})
            await database.perform("provisioning.full_reconcile")
            kept = (await database.states())[company.kept]
            assert kept == there[company.kept]


async def test_a_deletion_that_was_requested_on_hold_is_not_taken_back(
    new_database: Callable[[], AbstractContextManager[str]], gateway: Gateway, tmp_path: Path
) -> None:
    with new_database() as conninfo:
        async with on_cluster(conninfo, gateway, tmp_path / "keys", data_dir=tmp_path / "data") as client:
            data = await client.data()
            await client.work()
            await advance(client.services)
            await client.cast.row("update installation set epoch = 1 returning epoch")
            hold = await check(client.services)
            assert hold is not None
            scope = data.partner.organisation_id
            await client.database.run(delete_account, data.partner, scope, data.account, 30, hold.since)
            assert (await confirm(client.services, client.cast.operator, ConfirmOptions())).deletions == []
            await client.work()
            waiting = "select pending_deleted_at is not null from storage_account where id = %s"
            assert await client.cast.row(waiting, data.account) == (True,)
            assert (await inspect(client.services, client.cast.operator)).regions[0].cancelled == []


async def _move_cluster(database: Restored, address: str) -> str:
    """Returns the address of before."""
    (old,) = await database.cast.row(
        """
        with old as (select * from region where backend = 'ceph')
        update region r set admin_url = %s, connection = r.connection + 1 from old where r.id = old.id
        returning old.admin_url
        """,
        address,
    )
    return old
