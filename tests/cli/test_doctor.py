"""`tonnage doctor` finds the errors that are planted by SQL, and nothing else."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from tests.cast import TB, Cast
from tests.cli.running import tonnage
from tests.roles import as_owner
from tonnage.access.actor import Role
from tonnage.accounts import actions as accounts
from tonnage.api_keys import actions as api_keys
from tonnage.api_keys.api_key import NewKey
from tonnage.db import Database, connect
from tonnage.members.member import NewMember
from tonnage.members.queries import insert_member
from tonnage.migrations.rules import expected_rules
from tonnage.usage.actions import record_samples
from tonnage.usage.sample import Sample

pytestmark = pytest.mark.oldest_postgresql

Databases = Callable[[], AbstractContextManager[str]]

NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
IN_TWO_MONTHS = f"{NOW.replace(day=1) + timedelta(days=62):%Y-%m}"


@dataclass(frozen=True)
class DoctorData:
    """At least one row of each kind, with the ids that the planted statements name."""

    contract: str
    partner: str
    account: str
    member: str
    key: str
    measured: str

    @property
    def day(self) -> str:
        return f"{self.account} {self.measured}"

    @property
    def partner_day(self) -> str:
        return f"{self.partner} {self.measured}"


async def _data(conninfo: str) -> DoctorData:
    async with connect(conninfo) as database:
        return await _create_data(database)


async def _create_data(database: Database) -> DoctorData:
    cast = await Cast.of(database)
    cast.now = NOW - timedelta(days=3)
    await cast.region("somewhere")
    distributor = await cast.distributor()
    contract = await cast.contract(distributor, details="Standard terms")
    partner = await cast.partner(distributor, contract, 10 * TB)
    await cast.partner(distributor, contract, overdraft=True)
    account = await cast.account(partner, 2 * TB)
    waiting = await cast.account(partner, TB)
    samples = [
        Sample(line, account_id, MIDNIGHT - timedelta(days=days), 1000 * line)
        for line, (account_id, days) in enumerate([(account, 3), (account, 1), (waiting, 2)], 1)
    ]
    await database.transaction(record_samples, samples, NOW)
    await database.run(accounts.delete_account, partner, partner.organisation_id, waiting, 30, NOW)
    email = NewMember("Ärger.Straße@Example.org", Role.VIEWER, "hash", "Jörg  Straße")
    member = await database.run(insert_member, partner.organisation_id, email, 1000, NOW, partner.stamp)
    assert member is not None
    loader = NewKey("LÄDER", Role.VIEWER)
    _, key = await database.run(api_keys.create_key, cast.operator, partner.organisation_id, loader, NOW)
    return DoctorData(
        str(contract),
        str(partner.organisation_id),
        str(account),
        str(member.id),
        str(key.id),
        f"{NOW - timedelta(days=1):%Y-%m-%d}",
    )


@dataclass(frozen=True)
class Planted:
    """A statement in which `{contract}`, `{partner}` and `{account}` are filled in, one that reverts it, and what
    the doctor must report: check, subject, stored value, right value.
    """

    plant: LiteralString
    restore: LiteralString
    finding: tuple[str, str, str, str]


PLANTED = [
    Planted(
        "update contract set allocated_capacity = allocated_capacity + 1 where id = {contract}",
        "update contract set allocated_capacity = allocated_capacity - 1 where id = {contract}",
        ("contracts: allocated capacity", "contract", str(10 * TB + 1), str(10 * TB)),
    ),
    Planted(
        "update contract set used = used + 1 where id = {contract}",
        "update contract set used = used - 1 where id = {contract}",
        ("contracts: used", "contract", "5001", "5000"),
    ),
    Planted(
        "update contract set reserved_capacity = reserved_capacity + 1 where id = {contract}",
        "update contract set reserved_capacity = reserved_capacity - 1 where id = {contract}",
        ("contracts: terms", "contract", f"({100 * TB + 1},100,EUR,", f"({100 * TB},100,EUR,"),
    ),
    Planted(
        "update partner set allocated_to_accounts = allocated_to_accounts - 1 where id = {partner}",
        "update partner set allocated_to_accounts = allocated_to_accounts + 1 where id = {partner}",
        ("partners: allocated to storage accounts", "partner", str(3 * TB - 1), str(3 * TB)),
    ),
    Planted(
        "update partner set account_count = account_count + 1 where id = {partner}",
        "update partner set account_count = account_count - 1 where id = {partner}",
        ("partners: number of storage accounts", "partner", "3", "2"),
    ),
    Planted(
        "update partner set used = used + 7 where id = {partner}",
        "update partner set used = used - 7 where id = {partner}",
        ("partners: used", "partner", "5007", "5000"),
    ),
    Planted(
        "update region set backend = 'ceph', admin_url = 'http://rgw', connected_at = created_at",
        "update region set backend = 'metered', admin_url = null, connected_at = null",
        ("regions: credentials", "somewhere", "", "kept"),
    ),
    Planted(
        "insert into daily_traffic values ({account}, {measured}, 7, 0, 0);"
        " insert into traffic_hour values ({account}, ({measured} || ' 12:00Z')::timestamptz, 8, 0, 0)",
        "delete from daily_traffic; delete from traffic_hour",
        ("daily traffic: days with hourly values, up to 10000 accounts", "day", "(7,", "(8,"),
    ),
    Planted(
        "update partner set terms_since = terms_since + interval '1 hour' where id = {partner}",
        "update partner set terms_since = terms_since - interval '1 hour' where id = {partner}",
        ("partners: terms", "partner", "(", "("),
    ),
    Planted(
        "update organisation set closed_at = now() where id = {partner}",
        "update organisation set closed_at = null where id = {partner}",
        ("partners: distributor and closing date", "partner", "(", "("),
    ),
    Planted(
        "update organisation set closed_at = created_at where kind <> 'operator' and id <> {partner};"
        " update partner p set closed_at = o.closed_at from organisation o where o.id = p.id",
        "update organisation set closed_at = null; update partner set closed_at = null",
        ("partners: distributor and closing date", "partner", ",,t)", ",,f)"),
    ),
    Planted(
        "update contract set closed_at = '2026-01-01 00:00Z' where id = {contract}",
        "update contract set closed_at = null where id = {contract}",
        ("contracts: closing date", "contract", "2026-01-01 00:00:00+00", ""),
    ),
    Planted(
        "update storage_account set allow_overdraft = true where id = {account}",
        "update storage_account set allow_overdraft = false where id = {account}",
        ("storage accounts: terms", "account", f"({2 * TB},t,", f"({2 * TB},f,"),
    ),
    Planted(
        "update account_usage set region_id = 77 where account_id = {account}",
        "update account_usage set region_id = 1 where account_id = {account}",
        ("storage accounts: measured values", "account", ",77)", ",1)"),
    ),
    Planted(
        "update account_usage set used = used + 1 where account_id = {account}",
        "update account_usage set used = used - 1 where account_id = {account}",
        ("storage accounts: used", "account", "2001", "2000"),
    ),
    Planted(
        "update daily_usage set day = day - 2 where account_id = {account} and day = "
        "(select min(day) from daily_usage where account_id = {account})",
        "update daily_usage set day = day + 2 where account_id = {account} and day = "
        "(select min(day) from daily_usage where account_id = {account})",
        ("storage accounts: days with a daily value", "account", ": 3", ": 3"),
    ),
    Planted(
        "do $$ begin execute 'drop table daily_usage_' || to_char(now() + interval '2 months', 'YYYY_MM'); end $$",
        "select ensure_usage_partitions(now()::date, (now() + interval '3 months')::date)",
        ("daily usage: partitions of the coming months", IN_TWO_MONTHS, "", "there"),
    ),
    Planted(
        "alter table partner_terms disable trigger append_only",
        "alter table partner_terms enable trigger append_only",
        ("append-only tables: triggers that refuse changes", "partner_terms.append_only", "disabled", "enabled"),
    ),
    Planted(
        "alter table contract add constraint planted check (used < 10) not valid",
        "alter table contract drop constraint planted",
        ("database: constraints and indexes", "contract.planted", "not validated", "valid"),
    ),
    Planted(
        "alter domain currency rename constraint currency_known to planted",
        "alter domain currency rename constraint planted to currency_known",
        ("database: constraints and indexes", "currency.currency_known", "missing", "valid"),
    ),
    Planted(
        "alter table partner rename constraint partner_allocated_to_accounts to planted",
        "alter table partner rename constraint planted to partner_allocated_to_accounts",
        ("database: constraints and indexes", "partner.partner_allocated_to_accounts", "missing", "valid"),
    ),
    Planted(
        "alter index storage_account_email rename to planted",
        "alter index planted rename to storage_account_email",
        ("database: constraints and indexes", "storage_account_email", "missing", "valid"),
    ),
    Planted(
        "drop index region_one_default",
        "create unique index region_one_default on region (is_default) where is_default",
        ("database: constraints and indexes", "region_one_default", "missing", "valid"),
    ),
    Planted(
        "update member set email_key = 'strasse@example.org'",
        "update member set email_key = 'ärger.straße@example.org'",
        ("members: e-mail keys", "member", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update storage_account set contact_email_key = upper(contact_email_key) where id = {account}",
        "update storage_account set contact_email_key = lower(contact_email_key) where id = {account}",
        ("storage accounts: e-mail keys", "account", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update organisation set name_key = upper(name_key) where id = {partner}",
        "update organisation set name_key = lower(name_key) where id = {partner}",
        ("organisations: name keys", "partner", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update member set name_key = 'jörg strasse'",
        "update member set name_key = 'jorg strasse'",
        ("members: name keys", "member", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update contract set name_key = 'standard  terms' where id = {contract}",
        "update contract set name_key = 'standard terms' where id = {contract}",
        ("contracts: name keys", "contract", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update storage_account set name_key = name_key || '.' where id = {account}",
        "update storage_account set name_key = rtrim(name_key, '.') where id = {account}",
        ("storage accounts: name keys", "account", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update api_key set name_key = 'läder'",
        "update api_key set name_key = 'lader'",
        ("API keys: name keys", "key", "the key of another text", "the key of its own text"),
    ),
    Planted(
        "update daily_usage set usage = usage + 1 where account_id = {account} and day = {measured}",
        "update daily_usage set usage = usage - 1 where account_id = {account} and day = {measured}",
        ("daily usage: days with samples, up to 10000 accounts", "day", "(2001,2000,1)", "(2000,2000,1)"),
    ),
    Planted(
        "update partner_usage set usage = usage + 1 where partner_id = {partner} and day = {measured}",
        "update partner_usage set usage = usage - 1 where partner_id = {partner} and day = {measured}",
        ("partners: daily usage, up to 1000 partners", "partner_day", "2001", "2000"),
    ),
]


def failures(conninfo: str) -> list[dict[str, Any]]:
    examined = tonnage("doctor", "--json", "--database-url", conninfo)
    found = [result for result in json.loads(examined.stdout) if result["status"] == "FAIL"]
    assert examined.exit_code == (1 if found else 0)
    return found


def execute(conninfo: str, statement: LiteralString, data: DoctorData) -> None:
    names = {name: sql.Literal(value) for name, value in vars(data).items()}
    with psycopg.connect(as_owner(conninfo)) as conn:
        # As only a superuser can: without triggers and foreign keys.
        conn.execute("set session_replication_role = replica")
        conn.execute(sql.SQL(statement).format(**names))


def test_planted_errors_are_found_and_nothing_else(new_database: Databases, subtests: pytest.Subtests) -> None:
    with new_database() as conninfo:
        data = asyncio.run(_data(conninfo))
        assert failures(conninfo) == []
        for planted in PLANTED:
            check, subject, stored, recomputed = planted.finding
            with subtests.test(check):
                execute(conninfo, planted.plant, data)
                found = {failure["check"]: failure for failure in failures(conninfo)}
                execute(conninfo, planted.restore, data)
                difference = found[check]["differences"][0]
                assert difference["subject"] == getattr(data, subject, subject)
                assert stored in difference["stored"]
                assert recomputed in difference["recomputed"]
                assert found[check]["differing"] == 1
        assert failures(conninfo) == []


def test_the_report_as_text(new_database: Databases, tmp_path: Path) -> None:
    with new_database() as conninfo:
        data = asyncio.run(_data(conninfo))
        execute(conninfo, "update partner set used = used + 7 where id = {partner}", data)
        execute(conninfo, "insert into sealed_secret values ('backend', 'sealed')", data)
        examined = tonnage("doctor", "--database-url", conninfo)
    assert examined.exit_code == 1
    lines = examined.stdout.splitlines()
    assert "ok   schema: revision 0010" in lines
    assert "FAIL secrets: 1 are encrypted; set TONNAGE_SECRET_KEY_FILE to the file of their keys" in lines
    assert "ok   contracts: allocated capacity (1 checked)" in lines
    at = lines.index("FAIL partners: used (1 of 2 differ)")
    assert lines[at + 1] == f"       {data.partner}: 5007, should be 5000"


def test_jobs_that_failed_are_noted(new_database: Databases) -> None:
    with new_database() as conninfo, psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(
            "insert into procrastinate_jobs (queue_name, task_name, status) values ('default', 'usage.roll', 'failed')"
        )
        examined = tonnage("doctor", "--database-url", conninfo)
    assert examined.exit_code == 0, examined.output
    assert "note jobs: 1 failed (usage.roll); see: tonnage jobs list --failed" in examined.stdout.splitlines()


def test_the_names_of_all_rules_are_known(conninfo: str) -> None:
    with psycopg.connect(conninfo) as conn:
        # The types that every supported version records: newer ones have a name for each NOT NULL, too.
        found = conn.execute(
            """
            with t as (
                select oid, relname from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
                    and relname not like 'procrastinate%'
                    and relname <> 'alembic_version'
            )
            select t.relname || '.' || conname from pg_constraint join t on t.oid = conrelid
            where contype in ('c', 'f', 'p', 'u', 'x')
            union all select contypid::regtype || '.' || conname from pg_constraint
            where connamespace = 'public'::regnamespace and contypid <> 0 and contype = 'c'
            union all select i.relname from pg_index x join t on t.oid = indrelid join pg_class i on i.oid = indexrelid
            """
        ).fetchall()
    assert sorted(expected_rules()) == sorted(name for (name,) in found)


def test_an_unfit_schema_is_reported_and_ends_the_checks(empty_database: str) -> None:
    examined = tonnage("doctor", "--database-url", empty_database)
    assert examined.exit_code == 1
    assert "FAIL schema: The database is at revision none" in examined.stdout
    assert "contracts" not in examined.stdout
