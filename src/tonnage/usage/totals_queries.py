"""SQL of the roll-up's second half: daily values are written, and totals of partners and contracts adjusted.

The lock order is that of rollup_queries.py.
"""

from datetime import date, datetime
from typing import LiteralString

from tonnage.db import Connection


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


async def write(conn: Connection, first: date, last: date) -> None:
    """Writes the result of `roll_up`, which has these days, in order of account and day.

    Two statements and not one with ON CONFLICT: that locks each row before it updates it, and the lock is written to
    the log too. The lock of the account, which the caller holds, is enough. The days are in the text, so that the
    planner looks at their partitions only.
    """
    days = {"first": first, "last": last}
    await conn.execute(
        """
        update daily_usage d set usage = f.usage, closing = f.closing, samples = f.samples
        from usage_rollup f
        where d.account_id = f.account_id and d.day = f.day and d.day between %(first)s and %(last)s
            and (d.usage, d.closing, d.samples) <> (f.usage, f.closing, f.samples)
        """,
        days,
        prepare=False,
    )
    await conn.execute(
        """
        insert into daily_usage (account_id, day, usage, closing, samples)
        select account_id, day, usage, closing, samples from usage_rollup f
        where not exists (
            select from daily_usage d
            where d.account_id = f.account_id and d.day = f.day and d.day between %(first)s and %(last)s offset 0)
        order by account_id, day
        """,
        days,
        prepare=False,
    )


_UPDATE_TOTALS: LiteralString = """
with counted as materialized (
    select distinct on (account_id) account_id, objects from usage_staged where objects is not null
    order by account_id, sampled_at desc
), n as materialized (
    select u.account_id, s.partner_id, coalesce(f.rolled_up_to, u.rolled_up_to) as rolled_up_to,
        case when w.account_id is null then u.used when s.purged_at is not null then 0 else (
            select d.closing from daily_usage d where d.account_id = s.id and d.day = f.rolled_up_to) end as used,
        u.used as used_before, m.objects, m.measured_at
    from usage_span w full join counted c on c.account_id = w.account_id
    join account_usage u on u.account_id = coalesce(w.account_id, c.account_id)
    join storage_account s on s.id = u.account_id
    left join lateral (
        select greatest(u.rolled_up_to, w.last_day) as rolled_up_to where w.account_id is not null offset 0
    ) f on true
    cross join lateral (
        select case when is_new then c.objects else u.objects end as objects,
            case when is_new then %(now)s::timestamptz else u.measured_at end as measured_at
        from (select c.objects is not null and s.purged_at is null
            and (u.measured_at is null or u.measured_at <= %(now)s::timestamptz) as is_new) x
    ) m
), s as (
    update account_usage u
    set rolled_up_to = n.rolled_up_to, used = n.used, objects = n.objects, measured_at = n.measured_at
    from n where u.account_id = n.account_id and (u.rolled_up_to, u.used, u.objects, u.measured_at)
        is distinct from (n.rolled_up_to, n.used, n.objects, n.measured_at)
    returning n.partner_id, n.used - n.used_before as difference
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


async def update_totals(conn: Connection, now: datetime | None = None) -> None:
    """Sets rolled_up_to, the last known use and the number of objects of accounts, in one update of each, and adds the
    differences of use to the totals of partners and contracts.

    Staged objects are a measurement of the moment `now`.

    A partner's contract is read under the partner's lock, since a move of the partner moves its use too. The new totals
    are computed from the locked rows: PostgreSQL checks constraints on the update of the snapshot's row before it
    notices a newer version, and a fresh difference may violate one on a stale total. Purged accounts use nothing,
    even if samples of their past are added.
    """
    await conn.execute(_UPDATE_TOTALS, {"now": now}, prepare=False)
