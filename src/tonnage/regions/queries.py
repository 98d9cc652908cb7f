"""SQL of regions."""

from datetime import datetime

from tonnage.db import Connection, ListQuery
from tonnage.regions.region import NewRegion


async def published_regions(conn: Connection) -> bytes:
    """All regions as the public list: an object with one field, by name."""
    cursor = await conn.execute(
        """
        select json_build_object('regions', coalesce(json_agg(json_build_object(
            'name', name, 's3_url', s3_url, 'iam_url', iam_url, 'sts_url', sts_url) order by name), '[]'))
        from region
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else b"{}"


def all_regions() -> ListQuery:
    """All regions for the operator, who also sees where new accounts go (`default`)."""
    return ListQuery(
        """
        select r.id, json_build_object(
            'name', r.name, 's3_url', r.s3_url, 'iam_url', r.iam_url, 'sts_url', r.sts_url, 'default', r.is_default)
        from region r where %(after)s::integer is null or r.id > %(after)s
        order by r.id limit %(limit)s
        """,
        {},
    )


async def insert_region(conn: Connection, region: NewRegion, now: datetime, stamp: str) -> None:
    """The first region becomes the default one. Constraint region_name: there is one of that name."""
    await conn.execute(
        """
        with r as (
            insert into region (name, s3_url, iam_url, sts_url, plane, is_default, created_at)
            values (%(name)s, %(s3)s, %(iam)s, %(sts)s, %(plane)s,
                    not exists (select from region where is_default), %(now)s)
            returning *
        )
        select audit(%(stamp)s, o.id, 'region.create', r.name, null, to_jsonb(r)) from r, organisation o
        where o.kind = 'operator'
        """,
        {
            "name": region.name,
            "s3": region.s3_url,
            "iam": region.iam_url,
            "sts": region.sts_url,
            "plane": region.plane,
            "now": now,
            "stamp": stamp,
        },
    )


async def delete_region(conn: Connection, name: str, stamp: str) -> bool:
    """Whether there was one. Constraint storage_account_region: living accounts are in it.

    The oldest of the others becomes the default when the default one goes.
    """
    cursor = await conn.execute(
        """
        with r as (
            delete from region where name = %(name)s returning *
        ), heir as (
            update region set is_default = true from r
            where r.is_default and region.id = (select min(id) from region where name <> %(name)s)
        )
        select audit(%(stamp)s, o.id, 'region.delete', r.name, to_jsonb(r), null)
        from r, organisation o where o.kind = 'operator'
        """,
        {"name": name, "stamp": stamp},
    )
    return await cursor.fetchone() is not None
