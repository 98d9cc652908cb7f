"""While the database is on hold: what waits, what goes on, where it is seen, and the commands."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AppClient, application
from tests.authentication.members import FakeOutbox, person
from tests.cast import Cast
from tests.cli.command import Command
from tests.usage.steps import installed_on
from tonnage.db import Database, connect
from tonnage.epoch.actions import advance, check
from tonnage.epoch.queries import hold_of, installation
from tonnage.jobs import defer
from tonnage.mail import Mailer
from tonnage.partners.actions import close_distributor, close_partner
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.state_file import StateFile
from tonnage.usage import jobs as usage_jobs
from tonnage.worker import run_jobs

pytestmark = pytest.mark.anyio

PATIENCE = 60.0


@pytest.fixture
async def own(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[tuple[str, Database]]:
    with new_database() as conninfo:
        async with connect(conninfo, size=4, streams=1) as database:
            yield conninfo, database


async def put_back(database: Database, data_dir: Path, by: int = 3) -> None:
    """As if the database was from an earlier moment than the data directory."""
    found = await database.run(installation)
    StateFile(data_dir, found.id).add(found.epoch + by)


async def test_a_worker_takes_no_job_before_it_has_compared_the_epochs(
    own: tuple[str, Database], tmp_path: Path
) -> None:
    """The mail waits in the backup's queue, and the worker starts on it."""
    conninfo, database = own
    member = await person(await Cast.of(database), (await Cast.of(database)).operator)
    await database.run(defer, "authentication.send_reset", member.id)
    await put_back(database, tmp_path)
    outbox = FakeOutbox()
    services = Services(
        database, OpenBackends(database, None), mailer=Mailer(outbox, "https://console.example"), data_dir=tmp_path
    )
    task = asyncio.create_task(run_jobs(conninfo, services))
    try:
        async with asyncio.timeout(PATIENCE):
            while await _status(database) != ("todo", True):  # noqa: ASYNC110 - a row has no event for it
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert outbox.sent == []
    assert await database.run(hold_of) is not None


async def _status(database: Database) -> tuple[str, bool] | None:
    """Of the mail's job, and whether it was tried."""

    async def read(conn: Any) -> tuple[str, bool] | None:
        cursor = await conn.execute(
            "select status::text, attempts > 0 from procrastinate_jobs where task_name = 'authentication.send_reset'"
        )
        return await cursor.fetchone()

    return await database.run(read)


async def test_readings_are_kept_while_it_is_on(own: tuple[str, Database], tmp_path: Path) -> None:
    _, database = own
    await put_back(database, tmp_path)
    services = Services(database, OpenBackends(database, None), data_dir=tmp_path)
    cast = await Cast.of(database)
    await installed_on(cast, "2020-01-02")
    account = await cast.account(await _partner(cast))
    add = "insert into usage_sample (account_id, sampled_at, bytes) values (%s, '2020-01-01', 1) returning 1"
    await cast.row(add, account)
    await usage_jobs.run_maintenance(services, "")
    assert await cast.row("select count(*) from usage_sample") == (1,)
    await cast.row("update installation set held_since = null, held_reason = null, held_epoch = null, held_job = null,"
                   " epoch = 1000 returning 1")  # fmt: skip
    await usage_jobs.run_maintenance(services, "")
    assert await cast.row("select count(*) from usage_sample") == (0,)


async def _partner(cast: Cast) -> Any:
    await cast.region()
    distributor = await cast.distributor()
    return await cast.partner(distributor, await cast.contract(distributor))


@pytest.fixture
async def client(new_database: Callable[[], AbstractContextManager[str]]) -> AsyncGenerator[AppClient]:
    with new_database() as conninfo:
        async with (
            connect(conninfo, size=4, streams=1) as database,
            application(conninfo, await Cast.of(database)) as client,
        ):
            yield client


async def test_it_is_seen_and_requests_go_on(client: AppClient, tmp_path: Path) -> None:
    services: Services = client.app.state.services
    client.app.state.services = services = replace(services, data_dir=tmp_path)
    operator, distributor = client.cast.operator, await client.cast.distributor()
    key = await client.key(operator)
    metrics = (await client.call("GET", "/metrics", key)).text
    assert "tonnage_on_hold 0.0" in metrics
    await put_back(client.cast.database, tmp_path)
    hold = await check(services)
    assert hold is not None
    assert (await client.call("GET", "/readyz")).json() == {"status": "ready"}
    report = (await client.call("GET", "/readyz", key)).json()
    assert (report["status"], report["onHold"]["detail"]) == ("ready", hold.reason)
    assert "tonnage_on_hold 1.0" in (await client.call("GET", "/metrics", key)).text
    page = await (await client.sign_in(operator)).get("/operator")
    assert "tonnage restore check" in page.text
    assert (await client.call("GET", "/v1/contract/list", await client.key(distributor))).status_code == 200


async def test_sessions_and_links_of_the_backup_end(client: AppClient, tmp_path: Path) -> None:
    browser = await client.sign_in(client.cast.operator)
    assert (await browser.get("/operator")).status_code == 200
    services = replace(client.app.state.services, data_dir=tmp_path)
    await put_back(client.cast.database, tmp_path)
    await check(services)
    assert (await browser.get("/operator")).status_code == 303
    assert await client.cast.row("select count(*) from session") == (0,)


async def test_the_commands(own: tuple[str, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conninfo, database = own
    monkeypatch.setenv("TONNAGE_DATA_DIR", str(tmp_path))
    tonnage = Command(conninfo)
    checked = await asyncio.to_thread(tonnage, "restore", "check", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["clean"]) == (0, True)
    cast = await Cast.of(database)
    await cast.key(await cast.distributor())
    (key_id,) = await cast.row("select id from api_key")
    services = Services(database, OpenBackends(database, None), data_dir=tmp_path)
    await advance(services)
    found = await database.run(installation)
    StateFile(tmp_path, found.id).add(found.epoch + 7, [("api-key", str(key_id))])
    checked = await asyncio.to_thread(tonnage, "restore", "check")
    assert checked.exit_code == 1
    assert f"in the data directory: {found.epoch + 7}, higher than the database" in checked.stdout
    assert "for a test (tng_" in checked.stdout or "for a test (" in checked.stdout
    assert await database.run(hold_of) is None, "the command only looks"
    await check(services)
    assert "On hold: The database is older" in (await asyncio.to_thread(tonnage, "restore", "check")).stdout
    assert (await asyncio.to_thread(tonnage, "doctor")).exit_code == 1
    declined = await asyncio.to_thread(tonnage, "restore", "confirm", stdin="n\n")
    assert declined.exit_code == 1
    assert await database.run(hold_of) is not None
    done = await asyncio.to_thread(tonnage.ok, "restore", "confirm", "--yes")
    assert f"The epoch is {found.epoch + 8}" in done
    assert "Revoked again: 1 API keys. Removed again: 0 members." in done
    assert await cast.row("select revoked_at is not null and withheld_at is null from api_key") == (True,)
    assert (await asyncio.to_thread(tonnage, "doctor")).exit_code == 0


async def test_what_was_revoked_can_be_kept(
    own: tuple[str, Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was put back because an intruder had revoked keys and removed people."""
    conninfo, database = own
    monkeypatch.setenv("TONNAGE_DATA_DIR", str(tmp_path))
    cast = await Cast.of(database)
    distributor = await cast.distributor()
    await cast.key(distributor)
    (key_id,) = await cast.row("select id from api_key")
    member = await person(cast, distributor)
    found = await database.run(installation)
    StateFile(tmp_path, found.id).add(found.epoch + 7, [("api-key", str(key_id)), ("member", str(member.id))])
    services = Services(database, OpenBackends(database, None), data_dir=tmp_path)
    await check(services)
    withheld = "select (select count(*) from api_key where withheld_at is not null), (select count(*) from member"
    assert await cast.row(f"{withheld} where withheld_at is not null)") == (1, 1)
    await asyncio.to_thread(Command(conninfo).ok, "restore", "confirm", "--yes", "--keep-revoked")
    assert await cast.row(f"{withheld} where withheld_at is not null)") == (0, 0)
    assert await cast.row("select revoked_at from api_key") == (None,)
    # They are still recorded outside, but the decision is not asked for again, nor undone.
    checked = await asyncio.to_thread(Command(conninfo), "restore", "check")
    assert (checked.exit_code, "Revoked" in checked.stdout) == (0, False)
    await asyncio.to_thread(Command(conninfo).ok, "restore", "confirm", "--yes")
    assert await cast.row("select revoked_at, withheld_at from api_key") == (None, None)


async def test_revocations_and_removals_are_recorded_outside(own: tuple[str, Database], tmp_path: Path) -> None:
    from tonnage.api_keys.actions import revoke_key
    from tonnage.members.actions import delete_member

    _, database = own
    cast = await Cast.of(database)
    distributor = await cast.distributor()
    await cast.key(distributor)
    (key_id,) = await cast.row("select id from api_key")
    member = await person(cast, distributor)
    await database.run(revoke_key, cast.operator, key_id, cast.now)
    await database.run(delete_member, cast.operator, distributor.organisation_id, member.id)
    services = Services(database, OpenBackends(database, None), data_dir=tmp_path)
    await advance(services)
    state = StateFile(tmp_path, (await database.run(installation)).id).read()
    assert state.revoked == {("api-key", str(key_id)), ("member", str(member.id))}


async def test_so_are_the_members_and_keys_of_closed_organisations(own: tuple[str, Database], tmp_path: Path) -> None:
    _, database = own
    cast = await Cast.of(database)
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    for organisation in (partner, distributor):
        await cast.key(organisation)
        await person(cast, organisation)
    (ended,) = await cast.row("""
        select array_agg(one) from (
            select 'api-key ' || id from api_key union all select 'member ' || id from member
        ) w (one)""")
    await database.run(close_partner, distributor, partner.organisation_id, cast.now)
    await database.run(close_distributor, cast.operator, distributor.organisation_id, cast.now)
    services = Services(database, OpenBackends(database, None), data_dir=tmp_path)
    await advance(services)
    state = StateFile(tmp_path, (await database.run(installation)).id).read()
    assert sorted(" ".join(one) for one in state.revoked) == sorted(ended)
    assert len(ended) == 4
