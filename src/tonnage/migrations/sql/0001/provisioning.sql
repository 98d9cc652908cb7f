-- Drift detection: the last full comparison of a region's cluster with the database, and what it left to the operator.

create table full_reconcile (
    region_id integer primary key references region on delete cascade,
    finished_at timestamptz not null,
    checked bigint not null,                         -- accounts compared by the last one
    repaired bigint not null                         -- differences repaired, since ever
);

-- Differences that no program may repair, because either side may be the right one.
create table drift (
    region_id integer not null references region on delete cascade,
    subject text not null,                           -- an account, an access key
    description text not null,
    found_at timestamptz not null,
    primary key (region_id, subject)
);
