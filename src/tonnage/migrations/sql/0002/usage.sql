-- Objects beside bytes, the runs that sample a cluster, and the traffic of accounts.

alter table usage_sample
    add column objects bigint,
    add constraint usage_sample_objects check (objects >= 0);

-- One for each region and hour in which it was sampled.
create table sampling_run (
    region_id integer not null references region on delete cascade,
    hour timestamptz not null,                       -- the time of its samples
    started_at timestamptz not null,
    finished_at timestamptz,                         -- null: under way, or broken off; the rest of its hour can finish it
    sampled integer not null default 0,
    missed integer not null default 0,               -- accounts that did not answer
    primary key (region_id, hour)
);

-- Up to which hour the region's usage log has been read, and up to which day it was trimmed, both excluded.
alter table region
    add column traffic_read_to timestamptz,
    add column traffic_trimmed_to date;

-- Hour by hour, kept 40 days: the greater of two readings of an hour is right, whatever was trimmed in between. No foreign
-- keys, as with samples.
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
