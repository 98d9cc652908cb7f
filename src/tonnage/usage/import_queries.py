"""SQL of imports: samples are staged in temporary tables first, and validated there in bulk.

Both tables belong to the transaction and are dropped with it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import LiteralString

from tonnage.db import Connection
from tonnage.usage.sample import MOST_BAD_LINES, BadLine, Sample

_ROWS_AT_ONCE = 1000


async def wait_for_locks(conn: Connection) -> None:
    """Raises the lock time-out above that of a request, until the transaction ends: an import waits for the previous
    one."""
    await conn.execute("select set_config('lock_timeout', '10min', true)")


async def stage(conn: Connection, samples: Iterable[Sample]) -> int:
    """Stages the samples in the temporary table usage_staged; returns their number."""
    await conn.execute(
        "create temp table if not exists usage_staged"
        " (line bigint not null, account_id bigint not null, sampled_at timestamptz not null, bytes bigint not null,"
        " objects bigint) on commit drop"
    )
    await conn.execute("truncate usage_staged")
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


async def refused(conn: Connection, now: datetime) -> list[BadLine]:
    """The first MOST_BAD_LINES staged lines, in order, whose samples are invalid.

    A sample of an account that is being purged concurrently may still be accepted; what it stores for a day after the
    purge is in no report.
    """
    cursor = await conn.execute(_REFUSED, {"now": now, "limit": MOST_BAD_LINES}, prepare=False)
    return [BadLine(line, reason) for line, reason in await cursor.fetchall()]


_REFUSED: LiteralString = """
(
    select g.line, case
        when s.id is null then 'there is no storage account ' || to_char(g.account_id, 'FM000000000000')
        when g.sampled_at > %(now)s::timestamptz + interval '5 minutes' then 'the time is in the future'
        when g.sampled_at::date < s.created_at::date
            then 'the day is before the account was created on ' || s.created_at::date
        else 'the account was deleted on ' || s.purged_at::date
    end
    from usage_staged g left join storage_account s on s.id = g.account_id
    where s.id is null
        or g.sampled_at > %(now)s::timestamptz + interval '5 minutes'
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


async def audit_import(conn: Connection, counts: Mapping[str, int], stamp: str) -> None:
    """Writes the counts of an import to the audit log."""
    await conn.execute(
        """
        select audit(%(stamp)s, o.id, 'usage.import', 'usage', null, %(counts)s::jsonb)
        from organisation o where o.kind = 'operator'
        """,
        {"stamp": stamp, "counts": json.dumps(counts)},
    )
