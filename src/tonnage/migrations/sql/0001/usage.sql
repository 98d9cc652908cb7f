-- Usage: raw samples, kept 40 days, and one value per account and day, kept for good.

-- No foreign key: a check for every sample would take a third of an import's time, and accounts are never removed. No
-- index by age: what is too old is found account by account.
create table usage_sample (
    account_id bigint not null,
    sampled_at timestamptz not null,
    bytes bigint not null,
    primary key (account_id, sampled_at),
    constraint usage_sample_bytes check (bytes >= 0)
);

-- Dense from an account's first day to storage_account.rolled_up_to. No foreign key: a year of a million accounts is 365
-- million rows, and accounts are never removed. Column order packs a row into 56 bytes, 60 with its line pointer.
create table daily_usage (
    account_id bigint not null,
    usage bigint not null,                           -- mean of the day's samples, bytes, rounded half up
    closing bigint not null,                         -- last sample of the day: what the following gap is filled with
    day date not null,
    samples integer not null,                        -- 0: carried
    primary key (account_id, day)
) partition by range (day);

-- Looks into the catalog itself: to_regclass would remember, after a wait for the lock, that there was none before it.
create function has_usage_partition(part text) returns boolean language sql volatile as $$
    select exists (
        select from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'daily_usage'::regclass and c.relname = part)
$$;

-- Makes the monthly partitions from `first` through `last`, both included. Attaching locks the parent less than CREATE
-- TABLE ... PARTITION OF does, which would wait for, and then hold up, every running report.
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
