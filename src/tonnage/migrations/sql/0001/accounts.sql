-- Storage accounts: a customer's root account in one region.

-- Also written by: provisioning (quota, apply_attempts, desired_revision, applied_revision, rejected_revision,
-- rejection_reason, purge_started_at; of a purged account purged_at, used, contact_email, contact_email_key and
-- password_hash), usage (used, rolled_up_to, objects, measured_at).
create table storage_account (
    id bigint primary key,                           -- clientAccountId: 12 random digits
    seq bigint generated always as identity,
    partner_id uuid not null references partner,
    region_id integer references region on delete set null,  -- null: purged, and the region was removed since
    name text not null,
    name_key text collate "C" not null,              -- what lists search and sort by
    contact_email text,
    contact_email_key text collate "C",              -- case-folded by the program
    password_hash text,
    allocated_capacity bigint not null,              -- 0: pay-per-use
    allow_overdraft boolean not null,
    created_at timestamptz not null default now(),
    terms_since timestamptz not null default now(),  -- valid_from of the present terms
    -- Use, as last measured.
    used bigint not null default 0,                  -- bytes
    objects bigint,                                  -- with all versions; null: never sampled
    measured_at timestamptz,                         -- when objects was
    rolled_up_to date not null,                      -- last day with a daily value; at first the day before creation
    -- Suspension and deletion.
    suspended_at timestamptz,
    suspension_reason text,
    deletion_requested_at timestamptz,
    pending_deleted_at timestamptz,                  -- when the purge is due
    purge_started_at timestamptz,                    -- from here on it cannot be restored
    purged_at timestamptz,
    -- What its cluster should hold, and what it holds.
    desired_revision bigint not null default 1,      -- incremented with every change that the cluster must get
    applied_revision bigint not null default 0,      -- the one that was applied last
    apply_attempts bigint not null default 0,        -- number of applies: one that runs can see that another has run
    quota bigint,                                    -- the write limit applied last, bytes; null: none
    rejected_revision bigint,                        -- the one that the cluster refuses for good ...
    rejection_reason text,                           -- ... and why
    constraint storage_account_id check (id between 100000000000 and 999999999999),
    constraint storage_account_name check (char_length(name) between 1 and 200),
    constraint storage_account_allocated check (allocated_capacity >= 0),
    constraint storage_account_region check (region_id is not null or purged_at is not null),
    constraint storage_account_used check (used >= 0),
    constraint storage_account_objects check (objects >= 0),
    constraint storage_account_suspension check ((suspended_at is null) = (suspension_reason is null)),
    constraint storage_account_suspension_reason check (char_length(suspension_reason) between 1 and 200),
    constraint storage_account_deletion check ((deletion_requested_at is null) = (pending_deleted_at is null)),
    constraint storage_account_grace check (pending_deleted_at > deletion_requested_at),
    constraint storage_account_purging check (purge_started_at is null or purge_started_at >= pending_deleted_at),
    constraint storage_account_purged check (purged_at is null or (purge_started_at is not null and used = 0)),
    constraint storage_account_erased check (
        (purged_at is null) = (contact_email is not null)
        and (purged_at is null) = (contact_email_key is not null)
        and (purged_at is null) = (password_hash is not null)),
    constraint storage_account_revision check (applied_revision <= desired_revision),
    constraint storage_account_quota check (quota >= 0),
    constraint storage_account_rejection check ((rejected_revision is null) = (rejection_reason is null))
) with (fillfactor = 80);
create unique index storage_account_email on storage_account (contact_email_key) where purged_at is null;
create index storage_account_name_key_idx on storage_account (name_key) where purged_at is null;
create index storage_account_seq_idx on storage_account (seq) where purged_at is null;
create index storage_account_partner_id_seq_idx on storage_account (partner_id, seq);
-- Jobs go through the accounts of a region in batches, in order of id.
create index storage_account_region_id_id_idx on storage_account (region_id, id) where purged_at is null;
create index storage_account_unapplied_idx on storage_account (region_id, id)
    where applied_revision < desired_revision and purged_at is null;
create index storage_account_pending_deleted_at_idx on storage_account (pending_deleted_at)
    where pending_deleted_at is not null and purged_at is null;

create table account_terms (
    id bigint generated always as identity primary key,
    account_id bigint not null references storage_account,
    valid_from timestamptz not null,
    allocated_capacity bigint not null,
    allow_overdraft boolean not null
);
create index account_terms_account_id_valid_from_id_idx on account_terms (account_id, valid_from, id);
create trigger append_only before update or delete on account_terms for each row execute function reject_change();
create trigger no_truncate before truncate on account_terms execute function reject_change();
