"""SQL of imports: samples are staged in a temporary table, and validated there in bulk. Those of a file are then stored
as accepted lines, and recorded account by account.

The temporary tables belong to the connection: creating them for every import would write to the catalogs each time.
Their rows belong to the transaction.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import LiteralString

from tonnage.db import Connection, one_row
from tonnage.usage.sample import MOST_BAD_LINES, BadLine, Sample
from tonnage.utc import CLOCK_TOLERANCE

_ROWS_AT_ONCE = 1000


async def empty_staged(conn: Connection) -> None:
    """Creates the temporary table usage_staged, or empties it."""
    await conn.execute(
        "create temp table if not exists usage_staged"
        " (line bigint not null, account_id bigint not null, sampled_at timestamptz not null, bytes bigint not null,"
        " objects bigint) on commit delete rows"
    )
    await conn.execute("delete from usage_staged")


async def stage(conn: Connection, samples: Iterable[Sample]) -> int:
    """Stages the samples in the temporary table usage_staged; returns their number."""
    await empty_staged(conn)
    count = 0
    rows = iter(samples)
    async with conn.cursor() as cursor, cursor.copy("copy usage_staged from stdin with (null '')") as copy:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            await copy.write("".join(_copied(some)))
            count += len(some)
    # The planner has no statistics of a table that was filled a moment ago.
    await conn.execute("analyze usage_staged")
    return count


def _copied(samples: Iterable[Sample]) -> Iterator[str]:
    for line, account_id, at, size, objects in samples:
        yield f"{line}\t{account_id}\t{at.isoformat()}\t{size}\t{'' if objects is None else objects}\n"


async def refused(conn: Connection, now: datetime, first_open: date) -> list[BadLine]:
    """The first MOST_BAD_LINES staged lines, in order, whose samples are invalid.

    A sample of an account that is being purged concurrently may still be accepted; after the purge it weighs nothing.
    """
    cursor = await conn.execute(
        _REFUSED, {"latest": now + CLOCK_TOLERANCE, "open": first_open, "limit": MOST_BAD_LINES}, prepare=False
    )
    return [BadLine(line, reason) for line, reason in await cursor.fetchall()]


_REFUSED: LiteralString = """
(
    select g.line, case
        when s.id is null then 'there is no storage account ' || to_char(g.account_id, 'FM000000000000')
        when g.sampled_at > %(latest)s then 'the time is in the future'
        when g.sampled_at::date < s.created_at::date
            then 'the day is before the account was created on ' || s.created_at::date
        when g.sampled_at::date > s.purged_at::date then 'the account was deleted on ' || s.purged_at::date
        else 'the day is closed: readings before ' || %(open)s::date
            || ' were deleted; correct its value with `tonnage usage correct`'
    end
    from usage_staged g left join storage_account s on s.id = g.account_id
    where s.id is null
        or g.sampled_at::date < %(open)s
        or g.sampled_at > %(latest)s
        or g.sampled_at::date not between s.created_at::date and coalesce(s.purged_at::date, 'infinity')
    order by g.line limit %(limit)s
) union all (
    select line, 'the value differs from line ' || first_line || ' for the same account and time'
    from (
        select line, bytes, first_value(line) over same as first_line, first_value(bytes) over same as first_bytes
        from usage_staged window same as (partition by account_id, sampled_at order by line)
    ) twice
    where bytes <> first_bytes
    order by line limit %(limit)s
)
order by 1 limit %(limit)s
"""


# Of a sample of the cluster the objects are known, of one from a file they are not. So a file that has filled an hour
# may be imported again.
_ON_CLUSTERS: LiteralString = """
    select g.line, case when %(force)s
        then 'the cluster was sampled in that hour; --force fills only hours without a sample of the cluster'
        else 'the account is on a storage cluster, which is sampled; import usage for metered regions only' end
    from usage_staged g
    join storage_account s on s.id = g.account_id
    join region r on r.id = s.region_id
    where r.backend <> 'metered' and (not %(force)s or exists (
        select from usage_sample u
        where u.account_id = g.account_id and u.objects is not null
            and u.sampled_at >= date_trunc('hour', g.sampled_at)
            and u.sampled_at < date_trunc('hour', g.sampled_at) + interval '1 hour'
        offset 0))
    order by g.line limit %(limit)s
"""


async def sampled_elsewhere(conn: Connection, *, force: bool) -> list[BadLine]:
    """The first MOST_BAD_LINES staged lines, in order, for accounts on a cluster; with `force` only those of an hour of
    which there is a sample of the cluster."""
    cursor = await conn.execute(_ON_CLUSTERS, {"force": force, "limit": MOST_BAD_LINES}, prepare=False)
    return [BadLine(line, reason) for line, reason in await cursor.fetchall()]


async def accept(conn: Connection, stamp: str) -> None:
    """Stores the staged lines as accepted ones, and writes their number to the audit log."""
    await conn.execute(
        """
        insert into usage_import_line (account_id, sampled_at, bytes)
        select account_id, sampled_at, bytes from usage_staged order by account_id, sampled_at
        """,
        prepare=False,
    )
    await conn.execute(
        """
        select audit(%(stamp)s, o.id, 'usage.import', 'usage', null, g.counts)
        from organisation o cross join (
            select jsonb_build_object('samples', count(*), 'accounts', count(distinct account_id)) as counts
            from usage_staged
        ) g
        where o.kind = 'operator'
        """,
        {"stamp": stamp},
        prepare=False,
    )


async def take_lines(conn: Connection, after: int, limit: int) -> int | None:
    """Moves the accepted lines of the next accounts after the id `after` to usage_staged; returns the last of these
    accounts, None if there are none.

    As many accounts as have about `limit` lines, and of each account all lines. Others wait until the transaction ends.
    """
    await conn.execute("select pg_advisory_xact_lock(hashtext('usage_import_line'))")
    await empty_staged(conn)
    cursor = await conn.execute(
        """
        with chosen as materialized (
            select distinct account_id from (
                select account_id from usage_import_line where account_id > %(after)s
                order by account_id limit %(limit)s
            ) next
        ), taken as (
            delete from usage_import_line l using chosen c where l.account_id = c.account_id
            returning l.account_id, l.sampled_at, l.bytes, l.seq
        ), staged as (
            insert into usage_staged (line, account_id, sampled_at, bytes)
            select distinct on (account_id, sampled_at) seq, account_id, sampled_at, bytes from taken
            order by account_id, sampled_at, seq desc
        )
        select max(account_id) from chosen
        """,
        {"after": after, "limit": limit},
        prepare=False,
    )
    await conn.execute("analyze usage_staged")
    return (await one_row(cursor))[0]
