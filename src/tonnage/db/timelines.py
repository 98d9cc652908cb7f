"""Refuses connections to a server that has been replaced as the primary but does not know it yet.

A server that was frozen takes sessions again when it is thawed, until its cluster manager demotes it: for a quarter of
a second under Patroni, longer if the agent was frozen too. It confirms no write, since its standbys follow another
server. But it would answer reads without what was written since. Each promotion begins a new timeline, so an earlier
one is out of date.
"""

from typing import Any

import psycopg
from psycopg import AsyncConnection

_REPLACED = "this server was replaced by another one: its timeline is {}, and {} has been seen"

_TIMELINE = """
    select (pg_control_system()).system_identifier,
        case when not pg_is_in_recovery() then
            ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
        end
"""


class Timelines:
    """The latest timeline that this process has seen, by the identifier of the database cluster."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}

    async def require_latest(self, connection: AsyncConnection[tuple[Any, ...]]) -> None:
        """OperationalError: the server has been replaced. A standby is accepted, and a server that does not say."""
        try:
            row = await (await connection.execute(_TIMELINE)).fetchone()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported):
            row = None  # a provider's restriction
        if not connection.autocommit:
            await connection.rollback()
        cluster, timeline = row or (0, None)
        if timeline is None:
            return
        latest = self._latest.get(cluster, timeline)
        if timeline < latest:
            raise psycopg.OperationalError(_REPLACED.format(timeline, latest))
        self._latest[cluster] = timeline
