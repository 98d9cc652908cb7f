-- Organisations, the people and keys that act for them, and the record of what they did.

create table organisation (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,  -- order of creation: lists and their cursors
    kind text not null,
    parent_id uuid references organisation,          -- a partner's distributor
    name text not null,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint organisation_kind check (kind in ('operator', 'distributor', 'partner')),
    constraint organisation_parent check ((kind = 'partner') = (parent_id is not null)),
    constraint organisation_name check (char_length(name) between 1 and 200)
);
create unique index organisation_one_operator on organisation (kind) where kind = 'operator';
create index organisation_children on organisation (parent_id, seq);
insert into organisation (kind, name) values ('operator', 'Operator');

create table member (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    organisation_id uuid not null references organisation,
    email text not null,
    email_key text not null,                         -- case-folded by the program: one rule on every server's locale
    name text,
    role text not null,
    password_hash text not null,
    created_at timestamptz not null default now(),
    constraint member_email unique (email_key),      -- a removed member's row is gone, so its address is free again
    constraint member_role check (role in ('admin', 'staff', 'viewer')),
    constraint member_name check (char_length(name) between 1 and 200)
);
create index member_of_organisation on member (organisation_id, seq);

create table api_key (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    organisation_id uuid not null references organisation,
    description text not null,
    role text not null,
    hint text not null,                              -- the first characters of the key, for people to tell keys apart
    digest bytea not null,                           -- SHA-256 of the key; the key itself is nowhere
    valid_until timestamptz,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_key_digest unique (digest),
    constraint api_key_role check (role in ('admin', 'staff', 'viewer')),
    constraint api_key_description check (char_length(description) between 1 and 200)
);
create index api_key_of_organisation on api_key (organisation_id, seq);

-- No foreign keys: an entry outlives what it tells of.
create table audit_entry (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor_kind text not null,
    actor_id uuid,
    actor_organisation_id uuid,
    organisation_id uuid not null,                   -- whose thing was changed
    action text not null,                            -- noun.verb
    subject_id text not null,
    before jsonb,
    after jsonb,
    constraint audit_entry_actor check (actor_kind in ('key', 'member', 'cli', 'job'))
);
create index audit_entry_of_organisation on audit_entry (organisation_id, id);
create index audit_entry_by_actor on audit_entry (actor_organisation_id, id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete on audit_entry for each row execute function refuse_change();
create trigger never_emptied before truncate on audit_entry execute function refuse_change();

-- The only way into the audit table. Other features call it inside their statements; the result must be read by the
-- statement's last SELECT, since PostgreSQL does not run a SELECT that nobody reads.
create function audit(
    actor jsonb, organisation_id uuid, action text, subject_id text, before jsonb, after jsonb
) returns bigint language plpgsql as $$
declare entry bigint;
begin
    insert into audit_entry (
        actor_kind, actor_id, actor_organisation_id, organisation_id, action, subject_id, before, after
    ) values (
        actor->>'kind', (actor->>'id')::uuid, (actor->>'organisation')::uuid,
        organisation_id, action, subject_id, before, after
    ) returning id into entry;
    return entry;
end $$;
