-- Signing in: sessions, second factors, the way back after a forgotten password, and who has been guessing.

alter table organisation
    add column second_factor_required boolean not null default false;

alter table member
    add column locale text,                          -- of numbers and dates, such as en_GB; null: as the browser asks
    add column time_zone text,                       -- a name of the IANA database; null: UTC
    add column signed_in_at timestamptz,             -- last
    add column warned_at timestamptz,                -- when the member was last told that somebody guesses
    add column factor_since timestamptz,             -- since when there is a second factor; its seed is sealed, as `totp/ID`
    add column factor_step bigint;                   -- the time step of the last code that was taken: no code is taken twice

-- Members go by several statements, and older programs know nothing of seeds.
create function discard_seeds() returns trigger language plpgsql as $$
begin
    delete from sealed_secret where name = 'totp/' || old.id;
    return null;
end $$;
create trigger discard_seeds after delete on member for each row execute function discard_seeds();

create table session (
    id uuid primary key default gen_random_uuid(),
    member_id uuid not null references member on delete cascade,
    digest bytea not null,                           -- SHA-256 of the token in the cookie; the token itself is nowhere
    stage text not null,                             -- whether the code of the second factor is still wanted
    created_at timestamptz not null,
    seen_at timestamptz not null,                    -- moved at most once a minute
    address text not null,                           -- the client's
    agent text not null,                             -- what the browser says of itself, cut
    constraint session_digest unique (digest),
    constraint session_stage check (stage in ('code', 'open'))
);
create function discard_pending_seed() returns trigger language plpgsql as $$
begin
    delete from sealed_secret where name = 'totp-new/' || old.id;
    return null;
end $$;
create trigger discard_pending_seed after delete on session for each row execute function discard_pending_seed();
create index session_of_member on session (member_id, created_at);
create index session_by_age on session (seen_at);

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

-- Failed tries to sign in, of a client at one address, of a client, of the codes of a member. Digests: to count by, not
-- to know people by.
create table sign_in_failure (
    subject bytea primary key,
    failures double precision not null,              -- they are forgotten bit by bit: see access/guessing.py
    last_at timestamptz not null,
    blocked_until timestamptz,
    constraint sign_in_failure_count check (failures >= 0)
);
create index sign_in_failure_by_age on sign_in_failure (last_at);

-- What was done to a distributor's partners, beside what was done to itself, without looking for its partners first.
alter table audit_entry
    add column parent_id uuid;                       -- the organisation's parent; it never gets another
alter table audit_entry disable trigger append_only;
update audit_entry a set parent_id = o.parent_id from organisation o where o.id = a.organisation_id and o.parent_id is not null;
alter table audit_entry enable trigger append_only;
create index audit_entry_of_parent on audit_entry (parent_id, id) where parent_id is not null;
create index audit_entry_of_subject on audit_entry (subject_id, id);
create index audit_entry_of_actor on audit_entry (actor_id, id) where actor_id is not null;

create or replace function audit(
    actor jsonb, organisation_id uuid, action text, subject_id text, before jsonb, after jsonb
) returns bigint language plpgsql as $$
declare entry bigint;
begin
    insert into audit_entry (
        actor_kind, actor_id, actor_organisation_id, organisation_id, parent_id, action, subject_id, before, after
    ) values (
        actor->>'kind', (actor->>'id')::uuid, (actor->>'organisation')::uuid,
        organisation_id, (select o.parent_id from organisation o where o.id = audit.organisation_id),
        action, subject_id, before, after
    ) returning id into entry;
    return entry;
end $$;
