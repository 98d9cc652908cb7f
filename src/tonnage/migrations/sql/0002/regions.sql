-- How a region's cluster is reached (its credentials are sealed, as `region/ID`), how it is doing, and what was found there.

alter table region drop constraint region_plane;
alter table region
    add column admin_url text,                       -- where the gateway's admin API is
    add column connection integer not null default 0, -- grows with every change of address or credentials
    add column connected_at timestamptz,             -- when it was no longer metered only
    add column identity_unverified text,                           -- why it may be another cluster; '' until it was compared; null: it is not
    add column trouble text,                         -- why the cluster cannot be used, as last seen
    add column trouble_since timestamptz,
    add column failures bigint not null default 0,   -- how often it was found in trouble, since ever
    add constraint region_plane check (backend in ('metered', 'ceph')),
    add constraint region_admin_url check ((backend = 'ceph') = (admin_url is not null)),
    add constraint region_connected_at check ((backend = 'metered') = (connected_at is null)),
    add constraint region_trouble check ((trouble is null) = (trouble_since is null)),
    add constraint region_failures check (failures >= 0);

-- The last comparison of a region's cluster with the database.
create table sweep (
    region_id integer primary key references region on delete cascade,
    finished_at timestamptz not null,
    checked bigint not null,                         -- accounts compared by it
    repaired bigint not null                         -- differences repaired, since ever
);

-- What it has found and left to the operator, since that is for people to decide.
create table drift (
    region_id integer not null references region on delete cascade,
    subject text not null,                           -- an account, an access key
    what text not null,
    found_at timestamptz not null,
    primary key (region_id, subject)
);
