"""What `tonnage doctor` recomputes of members."""

from tonnage.access.checks import Check, Checking, compare_keys
from tonnage.db import Connection
from tonnage.email_address import email_key
from tonnage.names import name_key


async def member_email(conn: Connection) -> Check:
    """Sign-in finds members by the key of their address."""
    return await compare_keys(conn, "members: e-mail keys", "select id, email, email_key from member", email_key)


async def member_names(conn: Connection) -> Check:
    """Lists search and sort by the keys of names."""
    return await compare_keys(conn, "members: name keys", "select id, name, name_key from member", name_key)


ALL: tuple[Checking, ...] = (member_email, member_names)
