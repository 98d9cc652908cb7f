"""SQL of regions."""

from datetime import datetime

from tonnage.access.actor import system_stamp
from tonnage.db import Connection, ListQuery, one_row
from tonnage.db.rendered import TIMESTAMP_FORMAT
from tonnage.regions.region import CEPH, METERED, SIMULATED, NewRegion
from tonnage.storage.backend import Cluster

_PUBLIC = "jsonb_build_object('s3_url', r.s3_url, 'iam_url', r.iam_url, 'sts_url', r.sts_url)"
_CONNECTION = "jsonb_build_object('backend', r.backend, 'admin_url', r.admin_url)"


async def published_regions(conn: Connection) -> bytes:
    """All regions as the public list: an object with one field, by name."""
    cursor = await conn.execute(
        """
        select json_build_object('regions', coalesce(json_agg(json_build_object(
            'name', name, 's3_url', s3_url, 'iam_url', iam_url, 'sts_url', sts_url) order by name collate "C"), '[]'))
        from region
        """
    )
    return (await one_row(cursor))[0]


def all_regions(name: str | None = None) -> ListQuery:
    """All regions, or the one of that name.

    For the operator, with the backend and whether it is the default for new accounts (`default`).
    """
    return ListQuery(
        f"""
        select r.id, json_strip_nulls(json_build_object(
            'name', r.name, 's3_url', r.s3_url, 'iam_url', r.iam_url, 'sts_url', r.sts_url, 'default', r.is_default,
            'backend', r.backend, 'admin_url', r.admin_url, 'unhealthy_reason', r.unhealthy_reason,
            'troubleSince', to_char(r.unhealthy_since, {TIMESTAMP_FORMAT}), 'physicalCapacity', r.physical_capacity,
            'physicalCapacityStatedAt', to_char(r.physical_capacity_stated_at, {TIMESTAMP_FORMAT})))
        from region r
        where (%(after)s::integer is null or r.id > %(after)s) and (%(name)s::text is null or r.name = %(name)s)
        order by r.id limit %(limit)s
        """,
        {"name": name},
    )


async def insert_region(conn: Connection, region: NewRegion, now: datetime, stamp: str) -> int:
    """Inserts a region without a cluster; returns its id. The first region becomes the default.

    Constraints region_name: the name is taken; region_of_sandbox: only a sandbox has simulated regions.
    """
    cursor = await conn.execute(
        f"""
        with r as (
            insert into region (name, s3_url, iam_url, sts_url, backend, connected_at, is_default, created_at)
            values (%(name)s, %(s3)s, %(iam)s, %(sts)s, %(backend)s, %(connected)s,
                    not exists (select from region where is_default), %(now)s)
            returning *
        )
        select r.id, audit(%(stamp)s, o.id, 'region.create', r.name, null, {_PUBLIC}) from r, organisation o
        where o.kind = 'operator'
        """,
        {
            "name": region.name,
            "s3": region.s3_url,
            "iam": region.iam_url,
            "sts": region.sts_url,
            "backend": SIMULATED if region.simulated else METERED,
            "connected": now if region.simulated else None,
            "now": now,
            "stamp": stamp,
        },
    )
    return (await one_row(cursor))[0]


async def connect_region(conn: Connection, name: str, admin_url: str, now: datetime, stamp: str) -> int | None:
    """Sets a region's backend to Ceph at that address; returns its id, or None if there is no such region.

    Constraint region_of_sandbox: no region of a sandbox has a cluster.
    """
    cursor = await conn.execute(
        f"""
        with old as (
            select * from region where name = %(name)s for no key update
        ), r as (
            update region r set backend = %(ceph)s, admin_url = %(url)s, connection = r.connection + 1,
                identity_unverified = case when old.backend = %(ceph)s and old.admin_url = %(url)s
                    then old.identity_unverified else '' end,
                connected_at = coalesce(r.connected_at, %(now)s), unhealthy_reason = null, unhealthy_since = null
            from old where r.id = old.id
            returning r.*
        )
        select r.id, audit(%(stamp)s, o.id, 'region.connect', r.name, (select {_CONNECTION} from old r), {_CONNECTION})
        from r, organisation o where o.kind = 'operator'
        """,
        {"name": name, "ceph": CEPH, "url": admin_url, "now": now, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def delete_region(conn: Connection, name: str, stamp: str) -> int | None:
    """Deletes a region; returns its id, None if there was none. Constraint storage_account_region: it has accounts.

    If it was the default, the oldest of the others becomes the default.
    """
    cursor = await conn.execute(
        f"""
        with r as (
            delete from region where name = %(name)s returning *
        ), heir as (
            update region set is_default = true from r
            where r.is_default and region.id = (select min(id) from region where name <> %(name)s)
        )
        select r.id, audit(%(stamp)s, o.id, 'region.delete', r.name, {_PUBLIC} || {_CONNECTION}, null)
        from r, organisation o where o.kind = 'operator'
        """,
        {"name": name, "stamp": stamp},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def make_default(conn: Connection, name: str, stamp: str) -> bool:
    """Makes a region the only default. False: no such region.

    Constraint region_one_default: another one became the default concurrently.
    """
    cursor = await conn.execute(
        """
        with target as (
            select * from region where name = %(name)s for no key update
        ), old as (
            update region set is_default = false from target
            where region.is_default and region.id <> target.id returning region.name
        ), r as (
            -- Reads what the other has done, so that there are never two.
            update region set is_default = true from target, (select count(*) from old) as done
            where region.id = target.id and not target.is_default returning region.name
        )
        select t.id, (
            select audit(%(stamp)s, o.id, 'region.default', r.name,
                jsonb_build_object('default', (select name from old)), jsonb_build_object('default', r.name))
            from r, organisation o where o.kind = 'operator')
        from target t
        """,
        {"name": name, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


_CLUSTER = "id, name, backend, admin_url, connection, identity_unverified"


async def state_capacity(conn: Connection, name: str, capacity: int | None, now: datetime, stamp: str) -> bool:
    """Sets what a region can store, and when that was stated; None: nobody knows. An audit entry if it is another
    capacity. False: no such region."""
    cursor = await conn.execute(
        """
        with old as (
            select id, name, physical_capacity from region where name = %(name)s for no key update
        ), r as (
            update region r set physical_capacity = %(capacity)s,
                physical_capacity_stated_at = case when %(capacity)s::bigint is not null then %(now)s::timestamptz end
            from old where r.id = old.id
        )
        select old.id, case when old.physical_capacity is distinct from %(capacity)s::bigint then
            audit(%(stamp)s, operator_id(), 'region.state-capacity', old.name,
                case when old.physical_capacity is not null then
                    jsonb_build_object('physicalCapacity', old.physical_capacity) end,
                case when %(capacity)s::bigint is not null then
                    jsonb_build_object('physicalCapacity', %(capacity)s::bigint) end) end
        from old
        """,
        {"name": name, "capacity": capacity, "now": now, "stamp": stamp},
    )
    return await cursor.fetchone() is not None


async def cluster(conn: Connection, region_id: int) -> Cluster | None:
    """The backend of a region; None if there is no such region."""
    row = await (await conn.execute(f"select {_CLUSTER} from region where id = %s", [region_id])).fetchone()
    return Cluster(*row) if row else None


async def all_clusters(conn: Connection, name: str | None = None) -> list[Cluster]:
    """The backends of all regions, metered ones included, in order of creation; or of the one of that name."""
    cursor = await conn.execute(
        f"select {_CLUSTER} from region where %(name)s::text is null or name = %(name)s order by id", {"name": name}
    )
    return [Cluster(*row) for row in await cursor.fetchall()]


async def clusters(conn: Connection) -> list[Cluster]:
    """Every region with a cluster, in order of creation."""
    cursor = await conn.execute(f"select {_CLUSTER} from region where backend <> %s order by id", [METERED])
    return [Cluster(*row) for row in await cursor.fetchall()]


async def set_identity_unverified(conn: Connection, cluster: Cluster, identity_unverified: str | None) -> None:
    """Sets why the cluster may not be the region's own; None: verified. No-op if the region was connected again
    meanwhile."""
    await conn.execute(
        "update region set identity_unverified = %s where id = %s and connection = %s",
        [identity_unverified, cluster.region_id, cluster.connection],
    )


async def record_unhealthy(conn: Connection, region_id: int, reason: str, now: datetime) -> str | None:
    """Records why the cluster is unusable, and counts it. Returns the region's name if it was healthy before, which
    leaves an audit entry."""
    cursor = await conn.execute(
        """
        with old as (
            select id, unhealthy_reason from region where id = %(id)s for no key update
        ), r as (
            update region r set unhealthy_reason = %(reason)s, unhealthy_since = coalesce(r.unhealthy_since, %(now)s),
                failures = r.failures + 1
            from old where r.id = old.id
            returning case when old.unhealthy_reason is null then r.name end as name, r.unhealthy_reason
        )
        select r.name, audit(%(stamp)s, o.id, 'region.fail', r.name, null,
            jsonb_build_object('reason', r.unhealthy_reason))
        from r, organisation o where o.kind = 'operator' and r.name is not null
        """,
        {"id": region_id, "reason": reason, "now": now, "stamp": system_stamp()},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def record_recovery(conn: Connection, region_id: int) -> str | None:
    """Marks the region as healthy. Returns its name if it was unhealthy, which leaves an audit entry."""
    cursor = await conn.execute(
        """
        with old as (
            select id, unhealthy_reason from region where id = %(id)s and unhealthy_reason is not null for no key update
        ), r as (
            update region r set unhealthy_reason = null, unhealthy_since = null from old where r.id = old.id
            returning r.name, old.unhealthy_reason
        )
        select r.name, audit(%(stamp)s, o.id, 'region.recover', r.name,
            jsonb_build_object('reason', r.unhealthy_reason), null)
        from r, organisation o where o.kind = 'operator'
        """,
        {"id": region_id, "stamp": system_stamp()},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def health(conn: Connection) -> list[tuple[str, bool, int]]:
    """Every region with a cluster: its name, whether it is unhealthy, and the total number of failed checks."""
    cursor = await conn.execute(
        "select name, unhealthy_reason is not null, failures from region where backend <> %s order by id", [METERED]
    )
    return await cursor.fetchall()


async def troubles(conn: Connection) -> bytes | None:
    """The unhealthy regions, as a JSON array of their names, since when, and why; None if all are healthy."""
    cursor = await conn.execute(
        f"""
        select json_agg(json_build_object('region', name,
            'since', to_char(unhealthy_since, {TIMESTAMP_FORMAT}), 'detail', unhealthy_reason
        ) order by name collate "C")
        from region where unhealthy_reason is not null
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else None
