-- What the cluster was told of an account, and its access keys.

alter table storage_account
    add column quota bigint,                         -- the write limit that was told last, bytes; null: none, or never told
    add column apply_attempts bigint not null default 0,   -- how often the cluster was told: who tells can see that another did
    add column refused_revision bigint,              -- the revision that the cluster refuses for good ...
    add column refusal text,                         -- ... and why
    add column suspended_at timestamptz,
    add column suspension_reason text,
    add column objects bigint,                       -- at the last sample, with all versions; null: never sampled
    add column measured_at timestamptz,              -- when that was
    add constraint storage_account_quota check (quota >= 0),
    add constraint storage_account_refusal check ((refused_revision is null) = (refusal is null)),
    add constraint storage_account_suspension check ((suspended_at is null) = (suspension_reason is null)),
    add constraint storage_account_suspension_reason check (char_length(suspension_reason) between 1 and 200),
    add constraint storage_account_objects check (objects >= 0);
create index storage_account_unapplied on storage_account (region_id, id)
    where applied_revision < desired_revision and purged_at is null;
-- The accounts of a region are gone through in order of id, some at a time.
drop index storage_account_of_region;
create index storage_account_of_region on storage_account (region_id, id) where purged_at is null;

-- The row is there before the cluster is asked, and goes after it has forgotten: whatever breaks off in between is found.
create table access_key (
    access_key text primary key,
    seq bigint generated always as identity,         -- the order of lists
    account_id bigint not null references storage_account,
    description text,
    state text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,                 -- when it got into its state
    constraint access_key_state check (state in ('pending', 'active', 'deleting')),
    constraint access_key_form check (access_key ~ '^[A-Z0-9]{16,128}$'),
    constraint access_key_description check (char_length(description) between 1 and 200)
);
create index access_key_of_account on access_key (account_id, seq);
create index access_key_to_clean_up on access_key (changed_at) where state <> 'active';
