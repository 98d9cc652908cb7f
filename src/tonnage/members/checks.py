"""What `tonnage doctor` recomputes of members."""

from tonnage.access.checks import Check, Checking, compare_email_keys, compare_name_keys
from tonnage.db import Connection


async def member_email(conn: Connection) -> Check:
    """Sign-in finds members by the key of their address."""
    return await compare_email_keys(conn, "members: e-mail keys", "select id, email, email_key from member")


async def member_names(conn: Connection) -> Check:
    """Lists search and sort by the keys of names."""
    return await compare_name_keys(conn, "members: name keys", "select id, name, name_key from member")


ALL: tuple[Checking, ...] = (member_email, member_names)
