"""SQL of revocations: read from the audit log, which has them in every way that they can happen."""

from uuid import UUID

from tonnage.access.lists import entries_of
from tonnage.api_keys.queries import keys_of
from tonnage.db import Connection, one_row
from tonnage.epoch.revocation import API_KEY, CLOSINGS, KIND_OF_ACTION, MEMBER, Revocation

_OVERLAP = 1000
"""Entries that are read again: those of a transaction that took long appear behind later ones."""


async def recent_revocations(conn: Connection) -> tuple[set[Revocation], int]:
    """Those of audit entries that were not looked through yet, and the number of the last entry."""
    (read_to,) = await one_row(await conn.execute("select revocations_read_to from installation"))
    found, last = await entries_of(conn, [*KIND_OF_ACTION, *CLOSINGS], read_to - _OVERLAP)
    single = {(KIND_OF_ACTION[action], subject) for action, subject, _ in found if action in KIND_OF_ACTION}
    closed = {subject: before["members"] for action, subject, before in found if action in CLOSINGS}
    members = {(MEMBER, str(one)) for of in closed.values() for one in of}
    keys = (
        {(API_KEY, str(one)) for one in await keys_of(conn, list(map(UUID, closed)))} if closed else set[Revocation]()
    )
    return single | members | keys, last


async def record_revocations_read(conn: Connection, last: int) -> None:
    """Records up to which entry the revocations are recorded outside."""
    await conn.execute("update installation set revocations_read_to = greatest(revocations_read_to, %s)", [last])
