"""What `tonnage doctor` recomputes of members."""

from tonnage.access.checks import Check, Checking, compare_email_keys
from tonnage.db import Connection


async def member_email(conn: Connection) -> Check:
    """Who signs in is found by the folded address."""
    return await compare_email_keys(conn, "members: e-mail keys", "select id, email, email_key from member")


ALL: tuple[Checking, ...] = (member_email,)
