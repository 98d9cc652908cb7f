-- Browsers in which members have signed in before, and links that make a browser one of them.

create table known_device (
    id uuid primary key default gen_random_uuid(),   -- stays when the token is replaced
    member_id uuid not null references member on delete cascade,
    digest bytea not null,                           -- SHA-256 of the cookie's token, which is not stored
    expires_at timestamptz not null,
    constraint known_device_digest unique (digest)
);
create index known_device_member_id_expires_at_idx on known_device (member_id, expires_at);
create index known_device_expires_at_idx on known_device (expires_at);

create table device_link (
    digest bytea primary key,                        -- SHA-256 of the token in the link
    member_id uuid not null references member on delete cascade,
    expires_at timestamptz not null,
    constraint device_link_member unique (member_id)
);
