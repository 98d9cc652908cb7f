-- Metering: the hourly runs that sample a cluster, and the traffic of accounts.

-- One for each region and hour in which it was sampled, kept 40 days; of each region the last finished one stays.
-- Also written by: usage (deletes rows past their retention).
create table sampling_run (
    region_id integer not null references region on delete cascade,
    hour timestamptz not null,                       -- the time of its samples
    started_at timestamptz not null,
    finished_at timestamptz,                         -- null: running, or broken off: its hour's next run goes on
    sampled integer not null default 0,
    missed integer not null default 0,               -- accounts that could not be read
    primary key (region_id, hour)
);

-- Per hour, kept 40 days. Of two readings of an hour the greater one is right: the cluster's log may have been trimmed
-- in between. No foreign keys, as with samples.
-- Also written by: usage (deletes rows past their retention).
create table traffic_hour (
    account_id bigint not null,
    hour timestamptz not null,
    sent bigint not null,                            -- bytes to clients
    received bigint not null,
    requests bigint not null,
    primary key (account_id, hour),
    constraint traffic_hour_counts check (sent >= 0 and received >= 0 and requests >= 0)
);

create table daily_traffic (
    account_id bigint not null,
    day date not null,
    sent bigint not null,
    received bigint not null,
    requests bigint not null,
    primary key (account_id, day),
    constraint daily_traffic_counts check (sent >= 0 and received >= 0 and requests >= 0)
);
