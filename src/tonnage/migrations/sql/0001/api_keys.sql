-- API keys. They belong to an organisation and outlive the member who created them.

create table api_key (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    organisation_id uuid not null references organisation,
    description text not null,
    name_key text collate "C" not null,              -- of the description: what the audit log is searched by
    role text not null,
    prefix text not null,                            -- its first characters: people tell keys apart by them
    digest bytea not null,                           -- SHA-256 of the key; the key itself is not stored
    valid_until timestamptz,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_key_digest unique (digest),
    constraint api_key_role check (role in ('admin', 'staff', 'viewer')),
    constraint api_key_description check (char_length(description) between 1 and 200)
);
create index api_key_organisation_id_seq_idx on api_key (organisation_id, seq);
