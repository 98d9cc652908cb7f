"""SQL of what needs the operator because of a storage cluster."""

from typing import LiteralString

from tonnage.attention.attention import Attention, AttentionReader
from tonnage.attention.lists import found, read
from tonnage.db import Connection
from tonnage.errors import Count, Sentence

_OPERATOR: LiteralString = "join organisation o on o.id = operator_id()"


async def troubles(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Regions whose cluster cannot be used, the longest first."""
    sql = found(
        "select r.id, r.name, r.unhealthy_since, r.unhealthy_reason from region r where r.unhealthy_reason is not null",
        "f.unhealthy_since, f.id",
        "f.id::text, f.name, o.id, '', f.unhealthy_since, f.unhealthy_reason",
        _OPERATOR,
    )
    return await read(
        conn,
        sql,
        {"most": most},
        lambda row: Sentence("Cannot be used since {since}: {reason}", since=row[0], reason=row[1]),
    )


async def rejections(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Storage accounts that their cluster has refused, in order of their numbers. In a metered region none is ever
    applied: there none is read."""
    sql = found(
        """
        select s.* from region r cross join lateral (
            select s.id, s.name, s.partner_id, s.region_id, s.rejection_reason from storage_account s
            where s.region_id = r.id and s.applied_revision < s.desired_revision and s.purged_at is null
                and s.rejected_revision = s.desired_revision offset 0) s
        where r.backend <> 'metered'
        """,
        "f.id",
        "f.id::text, f.name, f.partner_id, o.name, r.name, f.rejection_reason",
        "join organisation o on o.id = f.partner_id join region r on r.id = f.region_id",
    )
    return await read(
        conn,
        sql,
        {"most": most},
        lambda row: Sentence("{region} refuses it: {reason}", region=row[0], reason=row[1]),
    )


async def drifts(conn: Connection, reader: AttentionReader, most: int) -> Attention:
    """Regions with differences between cluster and database that the operator has to decide, most first."""
    sql = found(
        "select d.region_id as id, count(*) as number, min(d.found_at) as since from drift d group by d.region_id",
        "f.number desc, f.id",
        "f.id::text, r.name, o.id, '', f.number, f.since",
        f"join region r on r.id = f.id {_OPERATOR}",
    )
    return await read(
        conn,
        sql,
        {"most": most},
        lambda row: Sentence(
            "{differences}, the first found on {since}",
            differences=Count("1 difference to decide", "{count} differences to decide", row[0]),
            since=row[1].date(),
        ),
    )
