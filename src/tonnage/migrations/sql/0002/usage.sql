-- Usage: days that are closed for readings; daily values weighted by time; raw readings in partitions by day.

-- One row. Readings of days before this one may have been deleted, so these days accept none, and their values are never
-- computed again.
create table usage_retention (
    is_only_row boolean primary key default true,
    readings_closed_before date not null,
    constraint usage_retention_one_row check (is_only_row)
);

create function reject_earlier_day() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or new.readings_closed_before < old.readings_closed_before then
        raise exception 'usage_retention.readings_closed_before never goes back';
    end if;
    return new;
end $$;
create trigger never_back before update or delete on usage_retention
    for each row execute function reject_earlier_day();
create trigger no_truncate before truncate on usage_retention execute function reject_change();

-- What was measured last, of every account. Apart from the account's row, which is wide: this one is changed every hour.
-- The space that is left in its pages, and indexes of nothing that changes, keep the change within the page. Partner,
-- region and purge are copied from the account, so that use is sorted and added up from these rows alone.
-- Also written by: provisioning (used and purged_at of a purged account).
create table account_usage (
    account_id bigint primary key,
    partner_id uuid not null,                        -- an account keeps its partner
    region_id integer,                               -- of its creation
    rolled_up_to date not null,                      -- last day with a daily value; at first the day before creation
    used bigint not null default 0,                  -- bytes; 0 for purged accounts
    measured_at timestamptz,                         -- when objects was
    objects bigint,                                  -- with all versions; null: never sampled
    purged_at timestamptz,
    constraint account_usage_purged check (purged_at is null or used = 0),
    constraint account_usage_used check (used >= 0),
    constraint account_usage_objects check (objects >= 0)
) with (fillfactor = 45);
create index account_usage_partner_id_idx on account_usage (partner_id);

-- Locks the regions of accounts, until the transaction ends, for a change of their usage; in order, so that two
-- transactions cannot wait for each other. A lock of each account would be written to the log every hour, a tenth of all
-- that is; and a region's samples are recorded one batch after the other anyway.
create function lock_usage(account_ids bigint[]) returns void language sql as $$
    with region as materialized (
        select distinct region_id from account_usage where account_id = any(account_ids) order by region_id
    )
    select count(pg_advisory_xact_lock(hashtext('usage'), coalesce(region_id, 0))) from region
$$;

-- A trigger, so that every account has its row.
create function add_account_usage() returns trigger language plpgsql as $$
begin
    insert into account_usage (account_id, partner_id, region_id, rolled_up_to)
    select id, partner_id, region_id, created_at::date - 1 from new_accounts order by id;
    return null;
end $$;
create trigger account_usage_inserted after insert on storage_account
    referencing new table as new_accounts for each statement execute function add_account_usage();

insert into account_usage (account_id, partner_id, region_id, used, rolled_up_to, measured_at, objects, purged_at)
select id, partner_id, region_id, used, rolled_up_to, measured_at, objects, purged_at from storage_account order by id;
alter table storage_account drop column used, drop column rolled_up_to, drop column measured_at, drop column objects;

-- The partitions of a table that is partitioned by time, and the times from and until which each has rows.
-- `first` is null: no limit.
create function time_partitions(parent regclass) returns table (part regclass, first timestamptz, until timestamptz)
language sql stable set datestyle = 'ISO' as $$
    select c.oid::regclass, substring(b.text from $re$FROM \('([^']+)'\)$re$)::timestamptz,
        substring(b.text from $re$TO \('([^']+)'\)$re$)::timestamptz
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as text) b
    where i.inhparent = parent
$$;

create function has_partition(parent regclass, moment timestamptz) returns boolean language sql volatile as $$
    select exists (
        select from time_partitions(parent) p where (p.first is null or p.first <= moment) and p.until > moment)
$$;

-- Creates a partition, unless there is one with its first moment. Attaching it locks the parent less than CREATE TABLE
-- ... PARTITION OF. It begins at midnight UTC, in a session of another time zone too.
create function ensure_partition(parent regclass, part text, first date, until date, fillfactor integer) returns void
language plpgsql set timezone = 'UTC' as $$
begin
    if not has_partition(parent, first::timestamptz) then
        perform pg_advisory_xact_lock(hashtext('ensure_partition'));
        if not has_partition(parent, first::timestamptz) then
            execute format('create table %I (like %s including all) with (fillfactor = %s)', part, parent, fillfactor);
            execute format('alter table %s attach partition %I for values from (%L) to (%L)',
                           parent, part, first::timestamptz, until::timestamptz);
        end if;
    end if;
end $$;

-- The rows of the current day are rewritten every hour, all of a page together: half of each page is left for their next
-- versions. With less, versions go to other pages and into the index, and the table becomes as large by itself.
create or replace function ensure_usage_partitions(first date, last date) returns void language plpgsql as $$
declare
    month date := date_trunc('month', first)::date;
begin
    while month <= last loop
        perform ensure_partition('daily_usage', 'daily_usage_' || to_char(month, 'YYYY_MM'), month,
                                 (month + interval '1 month')::date, 50);
        month := (month + interval '1 month')::date;
    end loop;
end $$;
drop function has_usage_partition(text);
alter table partner_usage set (fillfactor = 50);
do $$
declare
    part text;
begin
    for part in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'daily_usage'::regclass
    loop
        execute format('alter table %I set (fillfactor = 50)', part);
    end loop;
end $$;

-- Closed are the days through the last one that has lost a reading. All later days are computed again, by time: their
-- readings are still there. Earlier ones keep their values, the means of their readings.
insert into usage_retention (readings_closed_before)
with kept as (
    select account_id, sampled_at::date as day, count(*) as samples from usage_sample group by 1, 2
)
select coalesce(max(d.day) + 1, '-infinity')
from daily_usage d left join kept k on k.account_id = d.account_id and k.day = d.day
where d.samples > 0 and d.samples > coalesce(k.samples, 0);

select ensure_usage_partitions(min(u.rolled_up_to + 1), max(s.purged_at)::date)
from storage_account s join account_usage u on u.account_id = s.id where s.purged_at is not null having count(*) > 0;

-- The same calculation as in src/tonnage/usage/rollup_queries.py.
with span as (
    select s.id as account_id, s.created_at as begins, s.purged_at as ends, f.first_day,
        greatest(u.rolled_up_to, s.purged_at::date) as last_day, coalesce((
            select d.closing from daily_usage d where d.account_id = s.id and d.day = f.first_day - 1), 0) as opening
    from storage_account s join account_usage u on u.account_id = s.id cross join usage_retention r
    -- Days without a value have no readings, so they are written even if they are closed.
    cross join lateral (
        select least(greatest(s.created_at::date, r.readings_closed_before), u.rolled_up_to + 1) as first_day) f
    where f.first_day <= greatest(u.rolled_up_to, s.purged_at::date)
), reading as (
    select w.account_id, w.begins, w.ends, u.sampled_at::date as day, u.sampled_at, u.bytes,
        lead(u.sampled_at, 1, (u.sampled_at::date + 1)::timestamptz)
            over (partition by w.account_id, u.sampled_at::date order by u.sampled_at) as until
    from span w join usage_sample u
        on u.account_id = w.account_id and u.sampled_at >= w.first_day and u.sampled_at < w.last_day + 1
), measured as (
    select account_id, day, min(sampled_at) as first_at,
        sum(bytes * greatest(0, 1000000 * extract(epoch from least(until, ends) - greatest(sampled_at, begins))))
            as byte_time,
        (array_agg(bytes order by sampled_at desc))[1] as closing, count(*)::integer as samples
    from reading group by account_id, day
), known as (
    select account_id, day, first_at, byte_time, closing, samples from measured
    union all
    select account_id, first_day - 1, null, null, opening, null from span
), following as (
    select k.*, w.begins, w.ends, lag(k.closing) over days as opening,
        lead(k.day, 1, w.last_day + 1) over days - k.day - 1 as gap
    from known k join span w using (account_id)
    window days as (partition by k.account_id order by k.day)
)
insert into daily_usage (account_id, day, usage, closing, samples)
select account_id, day, round_half_away(byte_time + opening
        * greatest(0, 1000000 * extract(epoch from least(first_at, ends) - greatest(day::timestamptz, begins))),
        86400000000), closing, samples
from following where samples is not null
union all
select account_id, c.day, case when c.day + 1 <= ends is not false then closing else round_half_away(
        closing * greatest(0, 1000000 * extract(epoch from ends - c.day::timestamptz)), 86400000000) end, closing, 0
from following cross join lateral (select day + step as day from generate_series(1, gap) step) c
order by 1, 2
on conflict (account_id, day) do update
    set usage = excluded.usage, closing = excluded.closing, samples = excluded.samples
    where (daily_usage.usage, daily_usage.closing, daily_usage.samples)
        <> (excluded.usage, excluded.closing, excluded.samples);

update account_usage u set rolled_up_to = s.purged_at::date
from storage_account s where s.id = u.account_id and s.purged_at::date > u.rolled_up_to;

-- Lines of imported files that were validated and accepted, and are not recorded yet; empty between imports. Recorded are
-- all lines of an account together; of two lines for one time the one that was accepted later counts.
create table usage_import_line (
    account_id bigint not null,
    sampled_at timestamptz not null,
    bytes bigint not null,
    seq bigint generated always as identity,
    constraint usage_import_line_bytes check (bytes >= 0)
);
create index usage_import_line_account_id_idx on usage_import_line (account_id);

-- Creates the missing partitions of the days, as ensure_usage_partitions those of months.
create function ensure_day_partitions(parent regclass, days date[]) returns void language plpgsql
set timezone = 'UTC' as $$
declare
    day date;
begin
    foreach day in array days loop
        perform ensure_partition(parent, parent::text || to_char(day, '_YYYY_MM_DD'), day, day + 1, 100);
    end loop;
end $$;

-- Drops the oldest partition, if all of its days are before `before`; returns whether it did. Gives up after a second of
-- waiting: what comes meanwhile waits behind it.
create function drop_oldest_day(parent regclass, before date) returns boolean language plpgsql
set lock_timeout = '1s' set timezone = 'UTC' as $$
declare
    oldest regclass;
begin
    perform pg_advisory_xact_lock(hashtext('drop_oldest_day'));
    select part into oldest from time_partitions(parent) where until <= before::timestamptz order by until limit 1;
    if oldest is null then
        return false;
    end if;
    execute format('drop table %s', oldest);
    return true;
end $$;

-- Makes a table the first partition of one that is partitioned by day: it has all days through today, or through the last
-- one with rows. It is dropped when all of them are closed.
create function pg_temp.partition_by_day(parent text, time_column text) returns void language plpgsql as $$
declare
    earlier text := parent || '_earlier';
    until date;
begin
    execute format('select greatest(max(%I)::date, now()::date) + 1 from %I', time_column, parent) into until;
    execute format('alter table %I rename to %I', parent, earlier);
    execute format('alter index %I rename to %I', parent || '_pkey', earlier || '_pkey');
    execute format('create table %I (like %I including all) partition by range (%I)', parent, earlier, time_column);
    execute format('alter table %I attach partition %I for values from (minvalue) to (%L)',
                   parent, earlier, until::timestamptz);
end $$;
select pg_temp.partition_by_day('usage_sample', 'sampled_at');
