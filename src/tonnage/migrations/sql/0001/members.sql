-- Members: people with a console login in one organisation.

-- Also written by: authentication (password_hash, second_factor_enabled_at, second_factor_last_step,
-- last_signed_in_at, sign_in_warning_sent_at), partners (deletes those of a closed partner).
create table member (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    organisation_id uuid not null references organisation,
    email text not null,
    email_key text collate "C" not null,             -- case-folded by the program: one rule in every locale
    name text,
    name_key text collate "C",                       -- what lists search and sort by
    role text not null,
    locale text,                                     -- of numbers and dates, such as en_GB; null: the browser's
    time_zone text,                                  -- a name of the IANA database; null: UTC
    password_hash text not null,
    second_factor_enabled_at timestamptz,            -- when it was set up; its seed is sealed, as `totp/ID`
    second_factor_last_step bigint,                  -- time step of the last accepted code: no code is accepted twice
    created_at timestamptz not null default now(),
    last_signed_in_at timestamptz,                   -- the last time
    sign_in_warning_sent_at timestamptz,             -- the last mail about failed attempts to sign in
    constraint member_email unique (email_key),      -- a removed member's row is deleted, so the address is free again
    constraint member_role check (role in ('admin', 'staff', 'viewer')),
    constraint member_name_key check ((name is null) = (name_key is null)),
    constraint member_name check (char_length(name) between 1 and 200)
);
create index member_organisation_id_seq_idx on member (organisation_id, seq);
create index member_name_key_idx on member (name_key);
