-- Regions, and the storage accounts that live in them.

create table region (
    id integer generated always as identity primary key,
    name text not null,
    s3_url text not null,
    iam_url text not null,
    sts_url text not null,
    backend text not null default 'metered',
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    constraint region_name unique (name),
    constraint region_plane check (backend in ('metered'))
);
create unique index region_one_default on region (is_default) where is_default;

create table storage_account (
    id bigint primary key,                           -- clientAccountId: 12 random digits
    seq bigint generated always as identity,
    partner_id uuid not null references partner,
    region_id integer references region on delete set null,
    name text not null,
    contact_email text,
    contact_email_key text,
    password_hash text,
    allocated_capacity bigint not null,              -- 0: pay-per-use
    allow_overdraft boolean not null,
    used bigint not null default 0,                  -- last known use, bytes
    rolled_up_to date not null,                         -- last day that has a daily value; the day before creation at first
    created_at timestamptz not null default now(),
    terms_since timestamptz not null default now(),
    deletion_requested_at timestamptz,
    pending_deleted_at timestamptz,                  -- when the purge is due
    purge_started_at timestamptz,                    -- from here on it cannot be restored
    purged_at timestamptz,
    desired_revision bigint not null default 1,      -- what the cluster should be told ...
    applied_revision bigint not null default 0,      -- ... and what it was told last
    constraint storage_account_id check (id between 100000000000 and 999999999999),
    constraint storage_account_name check (char_length(name) between 1 and 200),
    constraint storage_account_allocated check (allocated_capacity >= 0),
    constraint storage_account_used check (used >= 0),
    constraint storage_account_deletion check ((deletion_requested_at is null) = (pending_deleted_at is null)),
    constraint storage_account_grace check (pending_deleted_at > deletion_requested_at),
    constraint storage_account_region check (region_id is not null or purged_at is not null),
    constraint storage_account_erased check (
        (purged_at is null) = (contact_email is not null)
        and (purged_at is null) = (contact_email_key is not null)
        and (purged_at is null) = (password_hash is not null)),
    constraint storage_account_purging check (purge_started_at is null or purge_started_at >= pending_deleted_at),
    constraint storage_account_purged check (purged_at is null or (purge_started_at is not null and used = 0)),
    constraint storage_account_revision check (applied_revision <= desired_revision)
) with (fillfactor = 80);
create unique index storage_account_email on storage_account (contact_email_key) where purged_at is null;
create index storage_account_of_partner on storage_account (partner_id, seq);
create index storage_account_of_region on storage_account (region_id) where purged_at is null;
create index storage_account_due on storage_account (pending_deleted_at)
    where pending_deleted_at is not null and purged_at is null;

create table account_terms (
    id bigint generated always as identity primary key,
    account_id bigint not null references storage_account,
    valid_from timestamptz not null,
    allocated_capacity bigint not null,
    allow_overdraft boolean not null
);
create index account_terms_in_time on account_terms (account_id, valid_from, id);
create trigger append_only before update or delete on account_terms for each row execute function refuse_change();
create trigger never_emptied before truncate on account_terms execute function refuse_change();
