-- Signing in: sessions, second factors, forgotten passwords, throttling of failed attempts.

create table session (
    id uuid primary key default gen_random_uuid(),
    member_id uuid not null references member on delete cascade,
    digest bytea not null,                           -- SHA-256 of the cookie's token, which is not stored
    stage text not null,                             -- `code`: the second factor has not been entered yet
    created_at timestamptz not null,
    last_seen_at timestamptz not null,               -- updated at most once a minute
    ip_address text not null,                        -- the client's
    user_agent text not null,                        -- the browser's User-Agent, truncated
    constraint session_digest unique (digest),
    constraint session_stage check (stage in ('code', 'open'))
);
create index session_member_id_created_at_idx on session (member_id, created_at);
create index session_last_seen_at_idx on session (last_seen_at);

create table recovery_code (
    member_id uuid not null references member on delete cascade,
    digest bytea not null,
    constraint recovery_code_digest primary key (member_id, digest)
);

create table password_reset (
    digest bytea primary key,                        -- SHA-256 of the token in the link
    member_id uuid not null references member on delete cascade,
    expires_at timestamptz not null,
    constraint password_reset_member unique (member_id)
);

-- Failed attempts to sign in: of a client at one e-mail address, of a client, of a member's codes. The subjects are
-- digests: they are needed to count, not to identify anybody.
create table sign_in_throttle (
    subject bytea primary key,
    failures double precision not null,              -- decays with time: see authentication/throttling.py
    last_failed_at timestamptz not null,
    blocked_until timestamptz,
    constraint sign_in_throttle_failures check (failures >= 0)
);
create index sign_in_throttle_last_failed_at_idx on sign_in_throttle (last_failed_at);

-- The seeds of one-time codes are in sealed_secret, which has no foreign keys. Members are deleted by statements of
-- more than one feature, and sessions by cascade too: a trigger deletes the seed, whichever it was.
create function discard_seeds() returns trigger language plpgsql as $$
begin
    delete from sealed_secret where name = 'totp/' || old.id;
    return null;
end $$;
create trigger discard_seeds after delete on member for each row execute function discard_seeds();

-- The seed of an enrolment that is not confirmed yet belongs to the session.
create function discard_pending_seed() returns trigger language plpgsql as $$
begin
    delete from sealed_secret where name = 'totp-new/' || old.id;
    return null;
end $$;
create trigger discard_pending_seed after delete on session for each row execute function discard_pending_seed();
