"""The clock of a sandbox: one for all processes, advanced day by day, never back."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.conftest import application
from tests.api.wire import Wire
from tests.cast import TB, Cast
from tests.cli.command import Command
from tests.roles import as_owner
from tests.sandbox.sandboxes import Process, at, prepared, process
from tonnage.access.actor import Actor, Kind, Role
from tonnage.asgi import create_app
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, Invalid
from tonnage.jobs.declaration import DECLARED, Clock, Job, job
from tonnage.passwords import Passwords
from tonnage.regions import actions as regions
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sandbox import creation, queries
from tonnage.sandbox_clock import SandboxClock
from tonnage.services import Services
from tonnage.worker import jobs_app, perform

pytestmark = pytest.mark.anyio

Databases = Callable[[], AbstractContextManager[str]]

CLOCK = "/ext/v1/sandbox/clock"


@asynccontextmanager
async def client_of(conninfo: str, clock: SandboxClock) -> AsyncGenerator[httpx.AsyncClient]:
    """Of an application that is another process."""
    app = create_app(conninfo, passwords=Passwords(), **clock.options)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage") as client,
    ):
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_every_process_has_the_time_of_the_database(sandbox: Process) -> None:
    key = await sandbox.cast.key(sandbox.cast.operator)
    command = Command(sandbox.conninfo)
    seen: list[datetime] = []

    async def look(services: Services, subject: str) -> None:
        seen.append(services.business_clock())

    async with process(sandbox.conninfo, sandbox.folder) as worker:
        clock = SandboxClock(at("2026-11-01"))
        async with client_of(sandbox.conninfo, clock) as client:
            for to in ("2026-11-02", "2026-11-03T06:00"):
                await sandbox.advance(to)
                time = f"{at(to):%Y-%m-%dT%H:%M:%SZ}"
                assert f"{at(to):%-d %b %Y}" in (await client.get("/sign-in")).text
                clock.time = at("2026-11-01")  # as if it had not been asked
                assert (await client.get(CLOCK, headers=bearer(key))).json() == {"time": time}
                await perform(worker.services, Job("test.look", "Look", look), "")
                assert await asyncio.to_thread(command.json, "sandbox", "clock") == {"time": time}
                distributor = (await asyncio.to_thread(command.json, "distributor", "create", f"On {to}"))["id"]
                terms = ("--reserved", "1TB", "--price", "1", "--currency", "EUR")
                await asyncio.to_thread(command.json, "contract", "create", "--distributor", distributor, *terms)
                assert await sandbox.cast.row("select max(valid_from) from contract_terms") == (at(to),)
    assert seen == [at("2026-11-02"), at("2026-11-03T06:00")]


async def test_the_operator_advances_it_by_the_api(sandbox: Process) -> None:
    cast = sandbox.cast
    partner = await sandbox.partner()
    async with client_of(sandbox.conninfo, SandboxClock(cast.now)) as client:
        body = {"advanceTo": "2026-11-04T00:00:00Z"}
        for actor, role, reading, advancing in (
            (cast.operator, Role.ADMIN, 200, 200),
            (cast.operator, Role.STAFF, 200, 403),
            (cast.operator, Role.VIEWER, 200, 403),
            (partner, Role.ADMIN, 403, 403),
        ):
            headers = bearer(await cast.key(actor, role))
            assert (await client.get(CLOCK, headers=headers)).status_code == reading
            answer = await client.post(CLOCK, headers=headers, json=body)
            assert answer.status_code == advancing, answer.text
        assert (await client.get(CLOCK)).status_code == (await client.post(CLOCK, json=body)).status_code == 401
        headers = bearer(await cast.key(cast.operator))
        for to, status, code in (
            ("2026-11-04", 200, None),
            ("2026-11-03T23:59:59Z", 409, "clock_never_back"),
            ("2036-11-04", 422, "validation_failed"),
            ("9999-12-31", 422, "validation_failed"),
            ("soon", 422, "validation_failed"),
        ):
            answer = await client.post(CLOCK, headers=headers, json={"advanceTo": to})
            assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
        back = (await client.post(CLOCK, headers=headers, json={"advanceTo": "2026-11-01"})).json()["detail"]
        assert "2026-11-04T00:00:00Z" in back
        assert "2026-11-01T00:00:00Z" in back
    entries = await cast.row(
        "select count(*), min(before->>'time'), min(after->>'time') from audit_entry where action = 'sandbox.advance'"
    )
    assert entries == (1, "2026-11-01T00:00:00+00:00", "2026-11-04T00:00:00+00:00")


async def test_another_database_refuses_and_asks_nothing(cast: Cast, conninfo: str, tmp_path: Path) -> None:
    async with process(conninfo, tmp_path) as ordinary:
        assert ordinary.services.sandbox_time is None
        await ordinary.services.database.pool.close()
        assert datetime.now(UTC) - await ordinary.services.business_now() < timedelta(minutes=1)
    async with client_of(conninfo, SandboxClock()) as client:
        headers = bearer(await cast.key(cast.operator))
        for answer in (
            await client.get(CLOCK, headers=headers),
            await client.post(CLOCK, headers=headers, json={"advanceTo": "2199-01-01"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "not_a_sandbox")
        assert "Sandbox" not in (await client.get("/sign-in")).text
    days = ("--from", "2026-11-01", "--to", "2026-11-02", "--bytes", "1TB")
    command = Command(conninfo)
    for arguments in (("advance", "2199-01-01"), ("clock",), ("usage", "482915730164", *days)):
        assert "This is no sandbox" in await asyncio.to_thread(command.refused, "sandbox", *arguments)


async def test_a_database_with_data_never_becomes_a_sandbox(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as ordinary:
            await ordinary.cast.distributor()
            with pytest.raises(creation.SandboxRefused, match="give the sandbox its own database"):
                await prepared(ordinary)
            assert os.listdir(tmp_path) == []
            for statement in (
                "insert into sandbox_clock values ('2026-01-01', '2025-12-31')",
                "insert into region (name, s3_url, iam_url, sts_url, backend, connected_at)"
                " values ('s', '', '', '', 'simulated', now())",
            ):
                with pytest.raises(psycopg.errors.CheckViolation):
                    await ordinary.cast.row(f"{statement} returning 1")


@pytest.mark.parametrize(
    "trace",
    ["update installation set epoch = 2 returning 1", "insert into procrastinate_workers default values returning 1"],
)
async def test_nor_does_one_on_which_a_server_has_worked(new_database: Databases, tmp_path: Path, trace: str) -> None:
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as ordinary:
            await ordinary.cast.row(trace)
            with pytest.raises(creation.SandboxRefused):
                await prepared(ordinary)


async def test_a_sandbox_stays_one(sandbox: Process) -> None:
    for role in (sandbox.conninfo, as_owner(sandbox.conninfo)):
        with psycopg.connect(role, autocommit=True) as conn:
            for statement in (
                "update sandbox_clock set business_time = '2026-10-31T23:59:59Z'",
                "update sandbox_clock set finished_day = '2026-10-31'",
                "delete from sandbox_clock",
            ):
                with pytest.raises(psycopg.errors.CheckViolation):
                    conn.execute(statement)
            with pytest.raises(psycopg.Error):
                conn.execute("truncate sandbox_clock cascade")
    gateway = Gateway("https://rgw.example.org", "key", "secret")
    region = NewRegion("eu-1", *("https://s3.example.org",) * 3)
    keys = sandbox.folder / "keys"
    keys.write_text("")
    with pytest.raises(Conflict) as refused:
        await sandbox.services.database.run(
            regions.add_region, sandbox.cast.operator, region, sandbox.cast.now, gateway=gateway, key_file=keys
        )
    assert refused.value.code is ConflictCode.IS_A_SANDBOX


async def test_started_again_it_keeps_everything(sandbox: Process) -> None:
    await sandbox.advance("2026-11-02")
    async with process(sandbox.conninfo, sandbox.folder) as again:
        first, second = await prepared(again, "2027-05-05"), await prepared(again)
        assert first == second
        assert first.time == at("2026-11-02")
        path = creation.path_in(sandbox.folder)
        assert path.stat().st_mode & 0o777 == 0o600
        path.unlink()
        renewed = await prepared(again)
        assert renewed.admin_key != first.admin_key
        assert renewed.time == first.time
        assert await again.cast.row("select count(*) from member") == (1,)


async def test_a_killed_advance_goes_on(sandbox: Process) -> None:
    """It is cancelled at many points, as by the end of its process. Nothing is missing in the end, nothing twice."""
    partner = await sandbox.partner()
    accounts = [await sandbox.cast.account(partner, region=region) for region in ("metered-1", "simulated-1")]
    await sandbox.set_usage(accounts[0], "2026-11-02", "2026-11-20", TB)
    interrupted = 0
    for steps in range(1, 60, 3):
        async with process(sandbox.conninfo, sandbox.folder) as killed:
            task = asyncio.create_task(killed.advance("2026-11-25"))
            # Each turn of the loop is at most one answer of the database.
            for _ in range(steps * 12):
                await asyncio.sleep(0)
            interrupted += not task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    assert interrupted > 15
    await sandbox.advance("2026-11-25")
    assert await sandbox.services.database.run(queries.clock_state) == (at("2026-11-25"), date(2026, 11, 25))
    assert await sandbox.cast.row("select count(*), count(distinct hour) from sampling_run") == (25, 25)
    used = list((await sandbox.used(partner, accounts[0], "2026-11-01", "2026-11-25")).values())
    assert used == [0] + 19 * [TB] + 5 * [0]
    (samples, days) = await sandbox.cast.row(
        "select count(*), count(distinct sampled_at) from usage_sample where account_id = %s", accounts[1]
    )
    assert samples == days == 24


async def test_of_two_advances_at_once_one_waits_or_is_refused(sandbox: Process) -> None:
    async with process(sandbox.conninfo, sandbox.folder) as other:
        done = await asyncio.gather(sandbox.advance("2026-11-20"), other.advance("2026-11-20"), return_exceptions=True)
    assert at("2026-11-20") in done
    refused = [one for one in done if one != at("2026-11-20")]
    assert [getattr(one, "code", one) for one in refused] in ([], [ConflictCode.ADVANCE_IN_PROGRESS])
    assert await sandbox.cast.row("select count(*), count(distinct hour) from sampling_run") == (20, 20)


async def test_while_another_advance_does_its_steps_none_begins(sandbox: Process) -> None:
    with psycopg.connect(sandbox.conninfo, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtext('sandbox_advance'))")
        with pytest.raises(Conflict) as refused:
            await sandbox.advance("2026-11-02")
        assert refused.value.code is ConflictCode.ADVANCE_IN_PROGRESS
        assert sandbox.services.business_clock() == at("2026-11-01")
    # It goes on at once, though the lock may end a moment after the connection.
    assert await sandbox.advance("2026-11-02") == at("2026-11-02")


async def test_who_may_advance_and_how_far(sandbox: Process) -> None:
    sandbox.cast.operator = Actor(sandbox.cast.operator.organisation_id, Kind.OPERATOR, Role.ADMIN, "cli")
    assert await sandbox.advance("2026-11-01") == at("2026-11-01"), "it is there"
    for to, error in (("2026-10-31T23:59:59", Conflict), ("2029-11-06", Invalid)):
        with pytest.raises(error):
            await sandbox.advance(to)
    assert await sandbox.cast.row("select count(*) from audit_entry where action = 'sandbox.advance'") == (0,)


# Readings of before the database was made share a partition, which is dropped when all of them are old.
@pytest.mark.parametrize(("begins", "kept"), [("2024-01-31", 42), ("2030-02-01", 41)])
async def test_years_before_and_after_that_of_the_wall_clock(
    new_database: Databases, tmp_path: Path, begins: str, kept: int
) -> None:
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as started:
            await prepared(started, begins)
            partner = await started.partner()
            account = await started.cast.account(partner)
            last = date.fromisoformat(begins) + timedelta(days=41)
            await started.set_usage(account, begins, "2099-12-31", TB)
            await started.advance(str(last))
            used = await started.used(partner, account, begins, str(last))
            assert used == {str(date.fromisoformat(begins) + timedelta(days=n)): TB for n in range(42)}
            (closed,) = await started.cast.row("select readings_closed_before from usage_retention")
            assert closed == last - timedelta(days=40)
            assert await started.cast.row("select count(*) from usage_sample") == (kept,)
            (parts,) = await started.cast.row(
                "select count(*) from pg_inherits where inhparent = 'usage_sample'::regclass"
            )
            assert parts < 60


async def test_due_accounts_are_deleted_within_the_advance(sandbox: Process) -> None:
    """With all that follows, which elsewhere is done by later jobs."""
    from tonnage.accounts.actions import delete_account

    partner = await sandbox.partner()
    account = await sandbox.cast.account(partner, region="simulated-1")
    await sandbox.set_usage(account, "2026-11-01", "2027-03-01", TB)
    await sandbox.advance("2026-11-02")
    assert await sandbox.cast.row("select count(*) from simulated_user") == (1,)
    await sandbox.services.database.transaction(
        delete_account, partner, partner.organisation_id, account, 30, sandbox.cast.now
    )
    await sandbox.advance("2026-12-01")
    assert await sandbox.cast.row("select purged_at from storage_account") == (None,)
    assert await sandbox.cast.row("select access from simulated_user") == ("read-only",)
    await sandbox.advance("2026-12-03")
    assert await sandbox.cast.row("select purged_at from storage_account") == (at("2026-12-02"),)
    assert await sandbox.cast.row("select count(*) from simulated_user") == (0,)
    assert await sandbox.cast.row(
        "select count(*) from procrastinate_jobs where status = 'todo' and task_name !~ '^notices'"
    ) == (0,)
    used = await sandbox.used(partner, account, "2026-11-30", "2026-12-03")
    assert used == {"2026-11-30": TB, "2026-12-01": TB, "2026-12-02": 0}
    nets = await sandbox.cast.row(
        "select array_agg(month::text order by month), array_agg(net order by month), max(computed_at) from month_net"
    )
    assert nets == (["2026-11-01", "2026-12-01"], [Decimal("1000.00"), Decimal("32.26")], at("2026-12-03"))


async def test_keys_expire_by_the_wall_clock(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        async with process(conninfo, tmp_path) as started:
            began = (await prepared(started)).time
            assert timedelta() <= datetime.now(UTC) - began < timedelta(days=1, minutes=1), "today"
            until = datetime.now(UTC) + timedelta(hours=1)
            key = await started.cast.key(started.cast.operator, valid_until=until)
            await started.advance(str((began + timedelta(days=2)).date()))
            async with client_of(conninfo, SandboxClock(began)) as client:
                assert (await client.get(CLOCK, headers=bearer(key))).status_code == 200


async def test_a_request_costs_one_statement_more(sandbox: Process, conninfo: str) -> None:
    async def costs(at: str, clock: SandboxClock | None) -> list[int]:
        found: list[int] = []
        async with application(at, sandbox=clock) as client:
            key, browser = await client.key(client.cast.operator), await client.sign_in(client.cast.operator)
            for request in (lambda: client.call("GET", "/ext/v1/me", key), lambda: browser.get("/operator/regions")):
                assert (await request()).status_code == 200
                async with Wire.traced(client) as wire:
                    assert (await request()).status_code == 200
                found.append(len(wire.statements))
        return found

    ordinary = await costs(conninfo, None)
    assert await costs(sandbox.conninfo, SandboxClock(sandbox.cast.now)) == [count + 1 for count in ordinary]


async def test_in_a_sandbox_only_upkeep_recurs_by_itself(sandbox: Process, conninfo: str, tmp_path: Path) -> None:
    async def recurring(process: Process) -> set[str]:
        registry: Any = jobs_app(process.conninfo, process.services).periodic_registry
        return {name for name, _ in registry.periodic_tasks}

    business = {name for name, declared in DECLARED.items() if declared.clock is Clock.BUSINESS}
    assert business == {
        "alerts.evaluate_all",
        "overdraft_caps.compute_all",
        "overrides.end_due",
        "overrides.remind",
        "billing.compute_last",
        "billing.compute_running",
        "forecasts.compute",
        "metering.sample_all",
        "month_end.freeze_due",
        "provisioning.purge_all",
        "suspensions.apply_rules",
        "usage.run_maintenance",
    }
    async with process(conninfo, tmp_path) as ordinary:
        assert await recurring(ordinary) - await recurring(sandbox) == business


def test_what_recurs_says_by_which_clock() -> None:
    with pytest.raises(ValueError, match=r"test\.unclassified needs a clock"):
        job("test.unclassified", label="Work", cron="* * * * *")(DECLARED["regions.check_all"].function)
    assert "test.unclassified" not in DECLARED
