"""SQL of the roll-up: computes daily values and totals from staged samples, for all accounts at once.

Lock order: account, partner, contract, each in order of id. The contract rows, shared by most transactions, are locked
last and held shortest. Each statement starts after the previous one has its locks, so its snapshot includes what was
committed while waiting for them.
"""

from datetime import datetime
from typing import LiteralString

from tonnage.db import Connection, one_row


async def make_partitions(conn: Connection) -> None:
    """Creates the monthly partitions that the roll-up of the staged samples can write to.

    Must run before any account is locked. Creating a partition holds a lock until the transaction ends; waiting for an
    account meanwhile, whose holder waits for that lock, would be a deadlock. rolled_up_to is read without a lock; it
    only grows.
    """
    await conn.execute(
        """
        select ensure_usage_partitions(min(least(g.day, s.rolled_up_to + 1)), max(g.day))
        from (select account_id, min(sampled_at)::date as day from usage_staged group by account_id
              union all select account_id, max(sampled_at)::date from usage_staged group by account_id) g
        join storage_account s on s.id = g.account_id
        having count(*) > 0
        """,
        prepare=False,
    )


async def lock_accounts(conn: Connection) -> None:
    """Locks the accounts of the staged samples, in order of id: two imports for the same accounts run one after the
    other."""
    await conn.execute(
        """
        with locked as (
            select s.id from storage_account s
            where s.id in (select account_id from usage_staged) order by s.id for no key update of s
        )
        select count(*) from locked
        """,
        prepare=False,
    )


async def store(conn: Connection) -> int:
    """Moves the staged samples to usage_sample; returns how many are new or have another value than before.

    Only the days of those are rolled up; they are put into the temporary table usage_touched. Objects belong to their
    bytes: other bytes without objects set the objects to unknown, the same bytes keep them.
    """
    await conn.execute(
        "create temp table if not exists usage_touched (account_id bigint not null, day date not null) on commit drop"
    )
    await conn.execute("truncate usage_touched")
    cursor = await conn.execute(
        """
        with changed as (
            insert into usage_sample (account_id, sampled_at, bytes, objects)
            select distinct account_id, sampled_at, bytes, objects from usage_staged order by account_id, sampled_at
            on conflict (account_id, sampled_at) do update set bytes = excluded.bytes, objects = excluded.objects
                where usage_sample.bytes <> excluded.bytes
                    or (excluded.objects is not null and usage_sample.objects is distinct from excluded.objects)
            returning account_id, sampled_at
        ), touched as (
            insert into usage_touched select distinct account_id, sampled_at::date from changed order by 1, 2
        )
        select count(*) from changed
        """,
        prepare=False,
    )
    (changed,) = await one_row(cursor)
    await conn.execute("analyze usage_touched")
    return changed


async def record_objects(conn: Connection, now: datetime) -> None:
    """Sets the present number of objects of the accounts whose staged samples include one."""
    await conn.execute(
        """
        update storage_account s set objects = g.objects, measured_at = %(now)s
        from (
            select distinct on (account_id) account_id, objects from usage_staged where objects is not null
            order by account_id, sampled_at desc
        ) g
        where s.id = g.account_id and s.purged_at is null and (s.measured_at is null or s.measured_at <= %(now)s)
        """,
        {"now": now},
        prepare=False,
    )


_AFFECTED_DAYS: LiteralString = """
with spanned as (
    insert into usage_span
    select s.id, f.first_day, coalesce(n.day - 1, greatest(t.last_day, s.rolled_up_to)), coalesce(
            (select d.closing from daily_usage d where d.account_id = s.id and d.day = f.first_day - 1), 0),
        s.used
    from (
        select account_id, min(day) as first_day, max(day) as last_day from usage_touched group by account_id
    ) t
    join storage_account s on s.id = t.account_id
    cross join lateral (select least(t.first_day, s.rolled_up_to + 1) as first_day offset 0) f
    left join lateral (
        select d.day from daily_usage d
        where d.account_id = s.id and d.day > t.last_day and d.day <= s.rolled_up_to and d.samples > 0
        order by d.day limit 1
    ) n on true
)
select count(distinct account_id), count(*) from usage_touched
"""


async def affected_days(conn: Connection) -> tuple[int, int]:
    """Puts the days that may change, per account, into the temporary table usage_span; returns the numbers of accounts
    and of touched days.

    A span starts with the first touched day, or with the first day that has no value yet. It continues after the last
    touched day until a day has samples of its own. `opening` is the closing value of the day before it, `used` the use
    that the totals include.
    """
    await conn.execute(
        "create temp table if not exists usage_span"
        " (account_id bigint not null, first_day date not null, last_day date not null, opening bigint not null,"
        " used bigint not null) on commit drop"
    )
    await conn.execute("truncate usage_span")
    cursor = await conn.execute(_AFFECTED_DAYS, prepare=False)
    row = await cursor.fetchone()
    await conn.execute("analyze usage_span")
    return (row[0], row[1]) if row else (0, 0)


_ROLLUP: LiteralString = """
with measured as materialized (
    select t.account_id, t.day, m.*
    from usage_touched t cross join lateral (
        select round_half_away(sum(u.bytes), count(*))::bigint as usage,
               (array_agg(u.bytes order by u.sampled_at desc))[1] as closing,
               count(*)::integer as samples
        from usage_sample u
        where u.account_id = t.account_id and u.sampled_at >= t.day and u.sampled_at < t.day + 1
    ) m
), known as (
    select account_id, day, closing from measured
    union all
    select account_id, first_day - 1, opening from usage_span
    union all
    select w.account_id, d.day, d.closing
    from usage_span w cross join lateral (
        select d.day, d.closing from daily_usage d
        where d.account_id = w.account_id and d.day between w.first_day and w.last_day and d.samples > 0
        offset 0
    ) d
    where not exists (select from usage_touched t where t.account_id = w.account_id and t.day = d.day)
), gap as (
    select k.account_id, k.day, k.closing,
        lead(k.day, 1, w.last_day + 1) over (partition by k.account_id order by k.day) - k.day - 1 as days
    from known k join usage_span w using (account_id)
)
insert into usage_rollup (account_id, day, usage, closing, samples)
select account_id, day, usage, closing, samples from measured
union all
select account_id, day + step, closing, closing, 0 from gap cross join lateral generate_series(1, days) step
"""


async def roll_up(conn: Connection) -> None:
    """Computes the daily values of the spans, into the temporary table usage_rollup.

    A touched day is computed from all its samples. Any other day with samples keeps its value: its samples may be
    deleted, after 40 days. Days between are carried forward, each with the closing value of the day before.
    """
    await conn.execute(
        "create temp table if not exists usage_rollup"
        " (account_id bigint not null, day date not null, usage bigint not null, closing bigint not null,"
        " samples integer not null) on commit drop"
    )
    await conn.execute("truncate usage_rollup")
    await conn.execute(_ROLLUP, prepare=False)
    await conn.execute("analyze usage_rollup")


async def lock_partners_days(conn: Connection) -> None:
    """Locks the days of partners that `write` will change, in one order for all transactions.

    The database adds up the inserts and the updates of `write` separately (see usage.sql of the schema). Without these
    locks, two imports of different accounts of the same partners could deadlock on each other's days. Missing days are
    inserted first: a transaction can only wait here for another one that needs no day inserted later in the order.
    """
    await conn.execute(
        """
        insert into partner_usage (partner_id, day, usage)
        select distinct s.partner_id, f.day, 0 from usage_rollup f join storage_account s on s.id = f.account_id
        order by 1, 2
        on conflict do nothing
        """,
        prepare=False,
    )
    await conn.execute(
        """
        with needed as materialized (
            select distinct s.partner_id, f.day from usage_rollup f join storage_account s on s.id = f.account_id
        ), locked as (
            select p.day from partner_usage p join needed using (partner_id, day)
            order by p.partner_id, p.day for no key update of p
        )
        select count(*) from locked
        """,
        prepare=False,
    )


async def write(conn: Connection) -> None:
    """Writes the result of `roll_up`, in order of account and day.

    A separate statement: one that fills a partition and then reads it would use a plan made when the partition was
    empty.
    """
    await conn.execute(
        """
        insert into daily_usage (account_id, day, usage, closing, samples)
        select account_id, day, usage, closing, samples from usage_rollup order by account_id, day
        on conflict (account_id, day) do update
            set usage = excluded.usage, closing = excluded.closing, samples = excluded.samples
            where (daily_usage.usage, daily_usage.closing, daily_usage.samples)
                <> (excluded.usage, excluded.closing, excluded.samples)
        """,
        prepare=False,
    )


_UPDATE_TOTALS: LiteralString = """
with s as (
    update storage_account s set rolled_up_to = n.rolled_up_to, used = n.used
    from (
        select s.id, f.rolled_up_to, w.used as used_before, case when s.purged_at is not null then 0 else (
            select d.closing from daily_usage d where d.account_id = s.id and d.day = f.rolled_up_to) end as used
        from usage_span w join storage_account s on s.id = w.account_id
        cross join lateral (select greatest(s.rolled_up_to, w.last_day) as rolled_up_to offset 0) f
    ) n
    where s.id = n.id and (s.rolled_up_to, s.used) <> (n.rolled_up_to, n.used)
    returning s.partner_id, n.used - n.used_before as difference
), by_partner as (
    select partner_id, sum(difference) as difference from s group by partner_id having sum(difference) <> 0
), locked_partner as (
    select p.id, p.contract_id, p.used, b.difference from partner p join by_partner b on b.partner_id = p.id
    order by p.id for no key update of p
), p as (
    update partner p set used = l.used + l.difference from locked_partner l where p.id = l.id
    returning l.contract_id, l.difference
), by_contract as (
    select contract_id, sum(difference) as difference from p group by contract_id having sum(difference) <> 0
), locked_contract as (
    select k.id, k.used, b.difference from contract k join by_contract b on b.contract_id = k.id
    order by k.id for no key update of k
)
update contract k set used = l.used + l.difference from locked_contract l where k.id = l.id
"""


async def update_totals(conn: Connection) -> None:
    """Sets rolled_up_to and the last known use of accounts, and adds the differences to the totals of partners and
    contracts.

    A partner's contract is read under the partner's lock, since a move of the partner moves its use too. The new totals
    are computed from the locked rows: PostgreSQL checks constraints on the update of the snapshot's row before it
    notices a newer version, and a fresh difference may violate one on a stale total. Purged accounts use nothing,
    even if samples of their past are added.
    """
    await conn.execute(_UPDATE_TOTALS, prepare=False)
