"""`tonnage member`"""

import uuid

import psycopg
import pytest
from argon2 import PasswordHasher

from tests.cli.command import Command

PASSWORD = "Correct-horse-1"


def new_email() -> str:
    return f"{uuid.uuid4().hex}@example.org"


def stored_hash(conninfo: str, email: str) -> str:
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("select password_hash from member where email = %s", [email]).fetchone()
    assert row is not None
    return row[0]


def test_a_member_gets_a_login_with_a_password_from_standard_input(conninfo: str) -> None:
    tonnage, email = Command(conninfo), new_email()
    distributor = tonnage.distributor()
    create = ("member", "create", "--organisation", distributor, "--email", email, "--role", "staff", "--name", "Ann")
    made = tonnage.json(*create, stdin=f"{PASSWORD}\n")
    assert made == {"id": made["id"], "name": "Ann", "email": email, "role": "staff"}
    assert PasswordHasher().verify(stored_hash(conninfo, email), PASSWORD)
    assert tonnage.json("member", "list", "--organisation", distributor) == [made]
    rows = [line.split() for line in tonnage.ok("member", "list", "--organisation", distributor).splitlines()]
    assert rows == [["ID", "E-mail", "Name", "Role"], [made["id"], email, "Ann", "staff"]]


def test_a_member_of_a_partner_and_of_the_operator(conninfo: str) -> None:
    tonnage = Command(conninfo)
    partner = tonnage.partner(tonnage.contract(tonnage.distributor()))
    for whose in (("--organisation", partner), ("--operator",)):
        email = new_email()
        result = tonnage("member", "create", *whose, "--email", email, "--role", "admin", stdin=PASSWORD)
        assert result.exit_code == 0
        assert email in result.stdout
        assert PASSWORD not in result.output
        assert email in tonnage.ok("member", "list", *whose)


def test_a_new_password(conninfo: str) -> None:
    tonnage, email = Command(conninfo), new_email()
    whose = ("--organisation", tonnage.distributor())
    tonnage.ok("member", "create", *whose, "--email", email, "--role", "viewer", stdin=PASSWORD)
    result = tonnage("member", "set-password", email.upper(), stdin="Another-one-2\n")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Another-one-2" not in result.stderr
    assert PasswordHasher().verify(stored_hash(conninfo, email), "Another-one-2")


def test_a_member_is_locked_and_unlocked(conninfo: str) -> None:
    tonnage, email, admin = Command(conninfo), new_email(), new_email()
    whose = ("--organisation", tonnage.distributor())
    tonnage.ok("member", "create", *whose, "--email", email, "--role", "viewer", stdin=PASSWORD)
    tonnage.ok("member", "create", *whose, "--email", admin, "--role", "admin", stdin=PASSWORD)

    def is_locked() -> bool:
        with psycopg.connect(conninfo) as conn:
            row = conn.execute("select locked_at is not null from member where email = %s", [email]).fetchone()
        assert row is not None
        return row[0]

    tonnage.ok("member", "lock", email.upper())
    assert is_locked()
    tonnage.ok("member", "unlock", email)
    assert not is_locked()
    assert "only admin who can sign in" in tonnage.refused("member", "lock", admin)
    for command in ("lock", "unlock"):
        assert "There is no member" in tonnage.refused("member", command, new_email())


def test_what_the_rules_refuse(conninfo: str) -> None:
    tonnage, email, unknown_id = Command(conninfo), new_email(), str(uuid.uuid4())
    create = ("member", "create", "--email", email, "--role", "viewer", "--organisation")
    distributor = tonnage.distributor()
    tonnage.ok(*create, distributor, stdin=PASSWORD)
    assert "cannot be used for a new member" in tonnage.refused(*create, distributor, stdin=PASSWORD)
    assert f"There is no organisation {unknown_id}" in tonnage.refused(*create, unknown_id, stdin=PASSWORD)
    assert f"There is no organisation {unknown_id}" in tonnage.refused("member", "list", "--organisation", unknown_id)
    assert "There is no member" in tonnage.refused("member", "set-password", new_email(), stdin=PASSWORD)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "pipe it in"),
        ("Short-1", "The password must have 10 to 128 characters."),
        ("password1234", "must not be one of the commonest"),
        (b"Not-utf-8-\xff\xfe", "UTF-8"),
    ],
)
def test_passwords_have_the_rules_of_the_console(conninfo: str, password: str | bytes, sentence: str) -> None:
    tonnage = Command(conninfo)
    create = ("member", "create", "--operator", "--email", new_email(), "--role", "admin")
    for command in (create, ("member", "set-password", new_email())):
        said = tonnage.misused(*command, stdin=password)
        assert sentence in said
        assert not password or str(password) not in said


def test_wrong_usage(conninfo: str) -> None:
    tonnage = Command(conninfo)
    create = ("member", "create", "--operator", "--email", new_email(), "--role", "admin")
    assert "No such option" in tonnage.misused(*create, "--password", PASSWORD)
    assert "must be an e-mail address" in tonnage.misused(*create, "--email", "ann")
    assert "'owner' is not one of 'admin', 'staff', 'viewer'" in tonnage.misused(*create, "--role", "owner")
    assert "Give one organisation" in tonnage.misused("member", "list")
    assert "Give one organisation" in tonnage.misused(*create, "--organisation", str(uuid.uuid4()))
