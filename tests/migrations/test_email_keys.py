"""The keys of e-mail addresses of a database of 0.1.0, which folded them in another way."""

from pathlib import Path

import psycopg
import pytest

from tests.migrations.released import first_release
from tonnage import migrations
from tonnage.email_address import email_key

pytestmark = pytest.mark.oldest_postgresql

EMAILS = ("Ann@example.com", "Zo\u00cb@example.com", "a@m\u00fcnchen.example.com", "b\u00df@stra\u00dfe.example.com")
CONTRADICTING = "\u017fam@example.com"
"""Its old key was `sam@example.com`."""

MEMBER = """
    insert into member (organisation_id, email, email_key, role, password_hash)
    select id, %s, %s, 'admin', 'hash' from organisation
"""
ACCOUNT = """
    insert into storage_account (id, partner_id, name, name_key, contact_email, contact_email_key, password_hash,
        allocated_capacity, allow_overdraft, rolled_up_to, region_id)
    values (%s, gen_random_uuid(), 'a', 'a', %s, %s, 'hash', 0, false, '2026-01-01', 1)
"""


def test_every_address_gets_its_key(empty_database: str, tmp_path: Path) -> None:
    migrations.upgrade(empty_database, revisions=first_release(tmp_path))
    emails = (*EMAILS, CONTRADICTING)
    with psycopg.connect(empty_database) as conn:
        conn.execute("set session_replication_role = replica")
        for number, email in enumerate(emails):
            conn.execute(MEMBER, [email, email.casefold()])
            conn.execute(ACCOUNT, [100_000_000_000 + number, email, email.casefold()])
    migrations.upgrade(empty_database)
    expected = {email: email_key(email) for email in emails}
    with psycopg.connect(empty_database) as conn:
        assert dict(conn.execute("select email, email_key from member").fetchall()) == expected
        accounts = conn.execute("select contact_email, contact_email_key from storage_account").fetchall()
        assert dict(accounts) == expected
    assert expected["a@m\u00fcnchen.example.com"] == "a@xn--mnchen-3ya.example.com"


def test_a_key_that_another_address_has_stays(empty_database: str, tmp_path: Path) -> None:
    """Two addresses that differed cannot stop the upgrade; the doctor names them."""
    migrations.upgrade(empty_database, revisions=first_release(tmp_path))
    with psycopg.connect(empty_database) as conn:
        conn.execute(MEMBER, ["a@xn--mnchen-3ya.de", "a@xn--mnchen-3ya.de"])
        conn.execute(MEMBER, ["a@m\u00fcnchen.de", "a@m\u00fcnchen.de"])
    migrations.upgrade(empty_database)
    with psycopg.connect(empty_database) as conn:
        keys = [key for (key,) in conn.execute("select email_key from member order by seq").fetchall()]
    assert keys == ["a@xn--mnchen-3ya.de", "a@m\u00fcnchen.de"]
