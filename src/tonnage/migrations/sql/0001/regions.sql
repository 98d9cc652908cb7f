-- Regions: where storage accounts live, and how the cluster behind a region is reached.

-- Also written by: metering (traffic_read_to, traffic_trimmed_to).
create table region (
    id integer generated always as identity primary key,
    name text not null,
    s3_url text not null,
    iam_url text not null,
    sts_url text not null,
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    backend text not null default 'metered',
    admin_url text,                                  -- the gateway's admin API; credentials: sealed, `region/ID`
    connection integer not null default 0,           -- incremented with every change of address or credentials
    connected_at timestamptz,                        -- when a cluster was first connected
    identity_unverified text,                        -- why it may be another cluster; '': not compared yet
    unhealthy_reason text,                           -- why the cluster cannot be used, at the last check
    unhealthy_since timestamptz,
    failures bigint not null default 0,              -- checks that found it unusable, since ever
    traffic_read_to timestamptz,                     -- its usage log was read up to this hour ...
    traffic_trimmed_to date,                         -- ... and trimmed up to this day, both excluded
    constraint region_name unique (name),
    constraint region_backend check (backend in ('metered', 'ceph')),
    constraint region_admin_url check ((backend = 'ceph') = (admin_url is not null)),
    constraint region_connected_at check ((backend = 'metered') = (connected_at is null)),
    constraint region_unhealthy check ((unhealthy_reason is null) = (unhealthy_since is null)),
    constraint region_failures check (failures >= 0)
);
create unique index region_one_default on region (is_default) where is_default;
