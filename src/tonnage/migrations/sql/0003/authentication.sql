-- When the member last proved who it is in this session, with password or code; null: when the session was created.
alter table session add column authenticated_at timestamptz;

-- Failed attempts at the password of one e-mail address, from all clients, by hour. The subject is a digest of the
-- address, whether a member has it or not.
create table sign_in_failures (
    subject bytea not null,
    hour timestamptz not null,                       -- its beginning
    failures integer not null,                       -- attempts that are being verified count as failed
    warned_at timestamptz,                           -- when the member got a mail about it
    constraint sign_in_failures_pkey primary key (subject, hour),
    constraint sign_in_failures_failures check (failures >= 0)
);
create index sign_in_failures_hour_idx on sign_in_failures (hour);

-- The last peer outside of the trusted proxies that has sent X-Forwarded-For: one row at most. All clients behind such a
-- proxy count as one.
create table untrusted_proxy (
    peer text not null,
    seen_at timestamptz not null
);
create unique index untrusted_proxy_one on untrusted_proxy ((true));
