"""What `tonnage doctor` compares of usage."""

from tonnage.access.checks import Check, Checking, compare
from tonnage.db import Connection


async def account_used(conn: Connection) -> Check:
    """An account's last known use is what its last day closed with; what was purged uses nothing."""
    return await compare(
        conn,
        "storage accounts: used",
        """
        select s.id, s.used, case when s.purged_at is not null then 0 else coalesce(d.closing, 0) end
        from storage_account s left join daily_usage d on d.account_id = s.id and d.day = s.folded_to
        """,
    )


async def dense(conn: Connection) -> Check:
    """An account has a daily value for each day from its first to the last one folded, and for no other."""
    return await compare(
        conn,
        "storage accounts: days with a daily value",
        """
        select coalesce(s.id, d.account_id),
            case when s.folded_to >= s.created_at::date
                then s.created_at::date || ' to ' || s.folded_to || ': ' || s.folded_to - s.created_at::date + 1 end,
            d.first || ' to ' || d.last || ': ' || d.days
        from storage_account s full join (
            select account_id, min(day) as first, max(day) as last, count(*) as days from daily_usage
            group by account_id
        ) d on d.account_id = s.id
        """,
    )


async def partitions(conn: Connection) -> Check:
    """This month and the next three have their partitions. The job that makes them has a day for it."""
    return await compare(
        conn,
        "daily usage: partitions of the coming months",
        """
        select to_char(month, 'YYYY-MM'), case when exists (
                select from pg_inherits where inhparent = 'daily_usage'::regclass
                    and inhrelid = to_regclass('daily_usage_' || to_char(month, 'YYYY_MM'))
            ) then 'there' end, 'there'
        from generate_series(
            date_trunc('month', now()), now() - interval '1 day' + interval '3 months', interval '1 month') month
        """,
    )


ALL: tuple[Checking, ...] = (account_used, dense, partitions)
