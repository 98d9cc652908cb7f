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


def test_sessions_are_listed_and_ended(conninfo: str) -> None:
    tonnage, emails = Command(conninfo), [new_email() for _ in range(2)]
    whose = ("--organisation", tonnage.distributor())
    for email in emails:
        tonnage.ok("member", "create", *whose, "--email", email, "--role", "admin", stdin=PASSWORD)
        insert = """
            insert into session (member_id, digest, stage, created_at, last_seen_at, ip_address, user_agent)
            select id, sha256(gen_random_uuid()::text::bytea), 'open', now(), now(), '192.0.2.1', 'test'
            from member, generate_series(1, 2) where email = %s"""
        with psycopg.connect(conninfo) as conn:
            conn.execute(insert, [email])
    listed = tonnage.json("session", "list", *whose)
    assert sorted(one["member"] for one in listed) == sorted(emails * 2)
    assert {one["address"] for one in listed} == {"192.0.2.1"}
    assert listed[0]["id"] in tonnage.ok("session", "list", *whose)
    tonnage.ok("session", "end", listed[0]["id"])
    assert "It may have ended" in tonnage.refused("session", "end", listed[0]["id"])
    tonnage.ok("session", "end-all", emails[0].upper())
    assert {one["member"] for one in tonnage.json("session", "list", *whose)} == {emails[1]}
    assert "There is no member" in tonnage.refused("session", "end-all", new_email())
    assert "Give one organisation" in tonnage.misused("session", "list")


def test_blocks_are_listed_and_lifted(conninfo: str) -> None:
    tonnage, email = Command(conninfo), new_email()
    distributor = tonnage.distributor()
    create = ("member", "create", "--organisation", distributor, "--email", email, "--role", "admin")
    member = tonnage.json(*create, stdin=PASSWORD)["id"]
    insert = """
        insert into sign_in_throttle (subject, failures, last_failed_at, blocked_until, kind, network, member_id)
        values (uuid_send(gen_random_uuid()), 10, now(), now() + interval '1 hour', 'pair', '192.0.2.1', %s)"""
    with psycopg.connect(conninfo) as conn:
        conn.execute(insert, [member])
    [listed] = tonnage.json("block", "list", "--organisation", distributor)
    expected = {"kind": "pair", "member": email, "network": "192.0.2.1", "failures": 10, "organisation": "Distributor"}
    assert {name: listed[name] for name in expected} == expected
    assert listed in tonnage.json("block", "list")
    assert listed["id"] in tonnage.ok("block", "list", "--organisation", distributor)
    tonnage.ok("block", "lift", listed["id"])
    assert tonnage.json("block", "list", "--organisation", distributor) == []
    assert "It may have ended" in tonnage.refused("block", "lift", listed["id"])
    unknown_id = str(uuid.uuid4())
    assert f"no organisation {unknown_id}" in tonnage.refused("block", "list", "--organisation", unknown_id)


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
