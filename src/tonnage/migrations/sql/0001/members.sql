-- Members: people with a console login in one organisation.

-- Also written by: authentication (password_hash, factor_since, factor_step, signed_in_at, warned_at),
-- partners (deletes those of a closed partner).
create table member (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    organisation_id uuid not null references organisation,
    email text not null,
    email_key text collate "C" not null,                         -- case-folded by the program: one rule in every locale
    name text,
    name_key text collate "C",                       -- what lists search and sort by
    role text not null,
    locale text,                                     -- of numbers and dates, such as en_GB; null: the browser's
    time_zone text,                                  -- a name of the IANA database; null: UTC
    password_hash text not null,
    factor_since timestamptz,                        -- when it was set up; its seed is sealed, as `totp/ID`
    factor_step bigint,                              -- time step of the last accepted code: no code is accepted twice
    created_at timestamptz not null default now(),
    signed_in_at timestamptz,                        -- the last time
    warned_at timestamptz,                           -- the last mail about failed attempts to sign in
    constraint member_email unique (email_key),      -- a removed member's row is deleted, so the address is free again
    constraint member_role check (role in ('admin', 'staff', 'viewer')),
    constraint member_name_key check ((name is null) = (name_key is null)),
    constraint member_name check (char_length(name) between 1 and 200)
);
create index member_of_organisation on member (organisation_id, seq);
create index member_by_name on member (name_key);
