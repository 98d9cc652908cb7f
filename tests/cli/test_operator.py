"""The operator's members, and the operator's commands for all members."""

import uuid

import psycopg
import pytest

from tests.cli.command import Command

PASSWORD = "Sesame-opens-1"


@pytest.fixture
def command(conninfo: str) -> Command:
    return Command(conninfo)


def address() -> str:
    return f"{uuid.uuid4().hex}@example.org"


def test_the_operators_first_member(command: Command) -> None:
    email = address()
    made = command.json("operator", "create", "--email", email, "--name", "Ada", stdin=f"{PASSWORD}\n")
    assert (made["email"], made["name"], made["role"]) == (email, "Ada", "admin")
    listed = command.json("member", "list", "--operator")
    assert made in listed


def test_another_role(command: Command) -> None:
    made = command.json("operator", "create", "--email", address(), "--role", "viewer", stdin=f"{PASSWORD}\n")
    assert made["role"] == "viewer"


def test_a_password_against_the_rules(command: Command) -> None:
    said = command.misused("operator", "create", "--email", address(), stdin="short\n")
    assert "must have 10 to 128 characters" in said


def test_an_address_that_is_taken(command: Command) -> None:
    email = address()
    command.ok("operator", "create", "--email", email, stdin=f"{PASSWORD}\n")
    said = command.refused("operator", "create", "--email", email.upper(), stdin=f"{PASSWORD}\n")
    assert "cannot be used for a new member" in said


def test_a_second_factor_is_reset(command: Command, conninfo: str) -> None:
    email = address()
    made = command.json("operator", "create", "--email", email, stdin=f"{PASSWORD}\n")
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("update member set second_factor_enabled_at = now() where id = %s", [made["id"]])
        command.ok("member", "reset-second-factor", email)
        found = conn.execute("select second_factor_enabled_at from member where id = %s", [made["id"]]).fetchone()
        assert found == (None,)
        entry = conn.execute(
            "select action, actor_kind from audit_entry where subject_id = %s order by id desc limit 1", [made["id"]]
        ).fetchone()
        assert entry == ("member.reset-second-factor", "cli")
    assert "no member" in command.refused("member", "reset-second-factor", address())


def test_a_new_password_ends_the_sessions(command: Command, conninfo: str) -> None:
    email = address()
    made = command.json("operator", "create", "--email", email, stdin=f"{PASSWORD}\n")
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute(
            "insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)"
            " values (%s, %s, 'open', now(), now(), '', '')",
            [made["id"], uuid.uuid4().bytes],
        )
        command.ok("member", "set-password", email, stdin="Sesame-closes-2\n")
        assert conn.execute("select count(*) from session where member_id = %s", [made["id"]]).fetchone() == (0,)
