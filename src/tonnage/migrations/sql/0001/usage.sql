-- Usage: raw samples, kept 40 days; one value per account and day, and per partner and day, kept for good.

-- No foreign key: checking one for every sample would take a third of an import's time, and accounts are never deleted.
-- No index by age: retention goes account by account.
create table usage_sample (
    account_id bigint not null,
    sampled_at timestamptz not null,
    bytes bigint not null,
    objects bigint,                                  -- null: not known, as from a file
    primary key (account_id, sampled_at),
    constraint usage_sample_bytes check (bytes >= 0),
    constraint usage_sample_objects check (objects >= 0)
);

-- Dense from an account's first day to storage_account.rolled_up_to. No foreign key: a year of a million accounts is 365
-- million rows, and accounts are never deleted. The column order packs a row into 56 bytes, 60 with its line pointer.
create table daily_usage (
    account_id bigint not null,
    usage bigint not null,                           -- mean of the day's samples, bytes, rounded half away from zero
    closing bigint not null,                         -- last sample of the day: fills the gap that follows
    day date not null,
    samples integer not null,                        -- 0: carried forward
    primary key (account_id, day)
) partition by range (day);

-- Reads the catalog itself: to_regclass would remember, after waiting for the lock, that there was none before it.
create function has_usage_partition(part text) returns boolean language sql volatile as $$
    select exists (
        select from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'daily_usage'::regclass and c.relname = part)
$$;

-- Creates the monthly partitions from `first` through `last`, both included. Attaching locks the parent less than
-- CREATE TABLE ... PARTITION OF, which would wait for every running report, and block those that come after it.
create function ensure_usage_partitions(first date, last date) returns void language plpgsql as $$
declare
    month date := date_trunc('month', first)::date;
    part text;
begin
    while month <= last loop
        part := 'daily_usage_' || to_char(month, 'YYYY_MM');
        if not has_usage_partition(part) then
            perform pg_advisory_xact_lock(hashtext('ensure_usage_partitions'));
            if not has_usage_partition(part) then
                execute format('create table %I (like daily_usage including all) with (fillfactor = 90)', part);
                execute format('alter table daily_usage attach partition %I for values from (%L) to (%L)',
                               part, month, (month + interval '1 month')::date);
            end if;
        end if;
        month := (month + interval '1 month')::date;
    end loop;
end $$;
select ensure_usage_partitions(now()::date, (now() + interval '3 months')::date);

-- Sums of the accounts' daily values, so that a partner's chart, trend and excess cost the same whatever its number of
-- accounts. Days after an account's rolled_up_to are not in it: see usage/lists.py. No foreign key, as with
-- daily_usage: partners are never deleted.
create table partner_usage (
    partner_id uuid not null,
    day date not null,
    usage numeric not null,                          -- bytes
    primary key (partner_id, day)
) with (fillfactor = 90);

-- A trigger, so that no statement that writes daily values can forget the sums. Rows are changed in order of partner
-- and day. A statement that both inserts and updates fires it twice, so it must lock all of the rows first.
create function add_to_partner_usage() returns trigger language plpgsql as $$
declare
    changed text := case tg_op
        when 'INSERT' then 'select account_id, day, usage from rows_after'
        when 'DELETE' then 'select account_id, day, -usage as usage from rows_before'
        else 'select account_id, day, usage from rows_after
              union all select account_id, day, -usage from rows_before' end;
begin
    -- Planned each time: a cached plan is made for as many rows as there were the first time.
    execute 'insert into partner_usage as p (partner_id, day, usage)
        select s.partner_id, c.day, sum(c.usage)
        from (' || changed || ') c join storage_account s on s.id = c.account_id
        group by s.partner_id, c.day having sum(c.usage) <> 0 order by s.partner_id, c.day
        on conflict (partner_id, day) do update set usage = p.usage + excluded.usage';
    return null;
end $$;
create trigger partner_usage_inserted after insert on daily_usage
    referencing new table as rows_after for each statement execute function add_to_partner_usage();
create trigger partner_usage_updated after update on daily_usage
    referencing old table as rows_before new table as rows_after for each statement execute function add_to_partner_usage();
create trigger partner_usage_deleted after delete on daily_usage
    referencing old table as rows_before for each statement execute function add_to_partner_usage();
