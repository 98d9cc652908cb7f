"""The keys of e-mail addresses, computed again by the program, which no SQL can."""

from typing import Any, LiteralString

import psycopg

from tonnage.email_address import email_key

_INTERNATIONAL: tuple[tuple[LiteralString, LiteralString], ...] = (
    (
        "select id, email, email_key from member where octet_length(email) > char_length(email)",
        """
        update member set email_key = %(key)s
        where id = %(id)s and not exists (select from member other where other.email_key = %(key)s)
        """,
    ),
    (
        """
        select id, contact_email, contact_email_key from storage_account
        where octet_length(contact_email) > char_length(contact_email)
        """,
        """
        update storage_account set contact_email_key = %(key)s
        where id = %(id)s and not exists (
            select from storage_account other where other.contact_email_key = %(key)s and other.purged_at is null)
        """,
    ),
)
"""For members and storage accounts: the rows whose address is not ASCII, and the statement that changes the key of one.
The key of an ASCII address is the one that it has always been."""


def renew(connection: "psycopg.Connection[Any]") -> None:
    """Gives every address its key. Two addresses that were different and have the same key now both stay; the doctor
    names the one that has the key of before.
    """
    for rows, change in _INTERNATIONAL:
        for subject, email, key in connection.execute(rows).fetchall():
            if email_key(email) != key:
                connection.execute(change, {"id": subject, "key": email_key(email)})
