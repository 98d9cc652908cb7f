"""The program's role can do what the program does, and nothing that would rewrite the past or reach the server."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import InsufficientPrivilege

from tests.cli.command import Command
from tests.migrations.test_upgrades import state
from tests.roles import as_owner, upgrade
from tonnage import migrations
from tonnage.access.checks import APPEND_ONLY
from tonnage.embedded.address import PROGRAM
from tonnage.migrations import SchemaError, program_revision

pytestmark = pytest.mark.oldest_postgresql

Databases = Callable[[], AbstractContextManager[str]]

REFUSED: tuple[LiteralString, ...] = (
    *(
        statement
        for table in ("audit_entry", "audit_sequence", "contract_terms", "partner_terms", "account_terms")
        for statement in (
            f"update {table} set {'digest = digest' if table == 'audit_sequence' else 'id = default'}",
            f"delete from {table}",
            f"truncate {table}",
            f"alter table {table} disable trigger all",
            f"drop trigger append_only on {table}",
            f"create rule quiet as on insert to {table} do instead nothing",
            f"drop table {table} cascade",
        )
    ),
    "set session_replication_role = replica",
    "create table another (id int)",
    "create function another() returns int language sql as 'select 1'",
    "create or replace function reject_change() returns trigger language plpgsql as 'begin return new; end'",
    "drop function audit(jsonb, uuid, text, text, jsonb, jsonb)",
    "truncate storage_account cascade",
    "alter table partner add column another int",
    "create index on partner (details)",
    "update alembic_version set version_num = '0001'",
    "update schema_compatibility set oldest_program = '0001'",
    "delete from queue_migration",
    "select setval('audit_entry_id_seq', 1)",
    "set role tonnage",
    "create role another",
    "alter role tonnage_app superuser",
    "create database another",
    "copy (select 1) to program 'true'",
    "copy sealed_secret to '/tmp/copied'",
    "select pg_read_file('postgresql.conf')",
    "alter system set fsync = off",
    # What runs as the owner changes no partitions but those of the readings.
    "select drop_oldest_day('audit_entry', 'infinity')",
    "select drop_oldest_day('pg_class', 'infinity')",
    "select ensure_partition('usage_sample', 'another', '2999-01-01', '2999-01-02', 100)",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_program_cannot(conninfo: str, statement: LiteralString) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement)
    # The owner can: the statement is right, and its object exists.
    if not statement.startswith(("set role", "alter system", "create database", "select ", "copy")):
        with psycopg.connect(as_owner(conninfo)) as conn:
            try:
                conn.execute(statement)
            except psycopg.errors.RestrictViolation:
                assert statement.startswith(("truncate", "update", "delete"))
            conn.rollback()


def test_what_runs_as_the_owner_runs_nobody_elses_code(conninfo: str) -> None:
    """A check of a temporary table would be computed with the owner's rights while a partition of it is attached."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("create function pg_temp.owner() returns text language sql as 'select current_user::text'")
        conn.execute("create temporary table mine (at timestamptz) partition by range (at)")
        conn.execute("create temporary table day partition of mine for values from ('1999-01-01') to ('1999-01-02')")
        for call in ("ensure_day_partitions('mine', '{1999-01-03}')", "drop_oldest_day('mine', '2000-01-01')"):
            with pytest.raises(InsufficientPrivilege, match="no partitions of mine can be changed"):
                conn.execute(sql.SQL("select {}").format(sql.SQL(call)))


def test_functions_of_the_owner_have_a_fixed_search_path_and_no_public_callers(conninfo: str) -> None:
    with psycopg.connect(as_owner(conninfo)) as conn:
        found = conn.execute(
            """
            select proname, proconfig::text, coalesce(proacl::text, 'everybody') from pg_proc
            where prosecdef and pronamespace = 'public'::regnamespace order by 1
            """
        ).fetchall()
    assert [name for name, _, _ in found] == [
        "drop_audit_entries",
        "drop_oldest_day",
        "ensure_day_partitions",
        "ensure_usage_partitions",
    ]
    for _, settings, callers in found:
        assert '"search_path=public, pg_temp"' in settings
        assert callers == "{tonnage=X/tonnage,tonnage_app=X/tonnage}"


def rights(conninfo: str, table: str) -> set[str]:
    with psycopg.connect(as_owner(conninfo)) as conn:
        cursor = conn.execute(
            "select a.privilege_type from pg_class c, aclexplode(c.relacl) a"
            " where c.oid = to_regclass(%s) and a.grantee = 'tonnage_app'::regrole",
            [table],
        )
        return {right for (right,) in cursor.fetchall()}


def test_each_upgrade_gives_what_is_missing_and_takes_what_is_too_much(new_database: Databases) -> None:
    with new_database() as conninfo:
        assert rights(conninfo, "audit_entry") == {"SELECT", "INSERT"}
        assert rights(conninfo, "partner") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
        with psycopg.connect(as_owner(conninfo)) as conn:
            conn.execute("create table later (id int generated always as identity)")
            conn.execute("grant truncate, update on audit_entry to tonnage_app")
            conn.execute("revoke insert on partner from tonnage_app")
        assert (
            "FAIL role: tonnage_app has other rights than it needs on audit_entry, later, later_id_seq, partner;"
            in (Command(conninfo)("doctor").output)
        )
        assert upgrade(conninfo).grants == 4
        assert rights(conninfo, "audit_entry") == {"SELECT", "INSERT"}
        assert rights(conninfo, "partner") == rights(conninfo, "later") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert upgrade(conninfo).grants == 0
        lines = Command(conninfo).ok("doctor").splitlines()
        assert "ok   role: tonnage_app cannot change definitions, nor entries of the audit log" in lines


def test_every_append_only_table_takes_only_inserts(conninfo: str) -> None:
    assert [(table, sorted(rights(conninfo, table))) for table in APPEND_ONLY] == [
        (table, ["INSERT", "SELECT"]) for table in APPEND_ONLY
    ]


@contextmanager
def another_role(server: str) -> Generator[str]:
    """The name of a role that has no rights; it logs in with the owner's password."""
    name = "another program"
    with psycopg.connect(server, autocommit=True) as conn:
        role = sql.Identifier(name)
        conn.execute(sql.SQL("create role {} login password {}").format(role, conn.info.password or None))
        yield name
        conn.execute(sql.SQL("drop role {}").format(role))


def test_a_program_without_rights_says_what_to_do(server: str, new_database: Databases) -> None:
    sentence = (
        "Error: The role another program has no rights on the tables of Tonnage. Set TONNAGE_MIGRATION_DATABASE_URL to "
        "the URL of the role that owns them, and run `tonnage migrate`.\n"
    )
    with another_role(server) as name, new_database() as conninfo:
        tonnage = Command(make_conninfo(conninfo, user=name))
        assert tonnage.refused("partner", "list") == sentence
        # `migrate` alone cannot help: it has the same role.
        assert "Set TONNAGE_MIGRATION_DATABASE_URL" in tonnage.refused("migrate")
        granted = tonnage.ok("migrate", "--migration-database-url", as_owner(conninfo)).splitlines()
        assert granted[0] == f"The database is already at revision {program_revision()}."
        assert granted[1].startswith("The role that the program logs in as has got its rights (")
        assert tonnage.ok("partner", "list", "--json") == "[]\n"


def test_a_database_is_migrated_by_its_owner_and_used_by_the_program(empty_database: str) -> None:
    program = make_conninfo(empty_database, user=PROGRAM)
    tonnage = Command(program)
    assert "permission denied for schema public" in tonnage.refused("migrate")
    assert f"from revision none to {program_revision()}.\n" in tonnage.ok(
        "migrate", "--migration-database-url", empty_database
    )
    assert tonnage.distributor()
    assert state(program).problem() is None
    # Once migrated, the program's own role finds nothing to do.
    assert tonnage.ok("migrate") == f"The database is already at revision {program_revision()}.\n"


def test_an_owner_that_is_no_superuser_migrates_and_its_functions_work(server: str, empty_database: str) -> None:
    program = make_conninfo(empty_database, user=PROGRAM)
    with another_role(server) as name, psycopg.connect(server, autocommit=True) as conn:
        database = sql.Identifier(str(conninfo_to_dict(empty_database)["dbname"]))
        conn.execute(sql.SQL("alter database {} owner to {}").format(database, sql.Identifier(name)))
        try:
            tonnage, owner = Command(program), make_conninfo(empty_database, user=name)
            tonnage.ok("migrate", "--migration-database-url", owner)
            tonnage.distributor()
            with psycopg.connect(program) as used:
                for call, result in (
                    ("ensure_day_partitions('usage_sample', '{2999-01-01}')", ""),
                    ("ensure_usage_partitions('2999-01-01', '2999-02-01')", ""),
                    ("drop_oldest_day('usage_sample', '2999-01-02')", True),
                    ("drop_audit_entries(date_trunc('month', now()), 10)", 0),
                ):
                    assert used.execute(f"select {call}".encode()).fetchone() == (result,), call
                assert used.execute("select current_setting('tonnage.drops_audit_entries')").fetchone() == ("off",)
            assert "ok   role: tonnage_app cannot change" in tonnage.ok("doctor")
        finally:
            conn.execute(sql.SQL("drop database {} with (force)").format(database))
            conn.execute(sql.SQL("create database {}").format(database))


def test_the_programs_role_cannot_migrate(new_database: Databases) -> None:
    with new_database() as conninfo:
        with psycopg.connect(as_owner(conninfo)) as conn:
            conn.execute("delete from queue_migration where name like '03%'")
        with pytest.raises(SchemaError, match=r"Nothing was changed. Set TONNAGE_MIGRATION_DATABASE_URL"):
            migrations.upgrade(conninfo)


def test_one_role_can_do_both(empty_database: str) -> None:
    tonnage = Command(empty_database)
    tonnage.ok("migrate")
    owned = "note role: tonnage owns the tables, so whoever controls the program could change the audit log;"
    assert any(line.startswith(owned) for line in tonnage.ok("doctor").splitlines())
