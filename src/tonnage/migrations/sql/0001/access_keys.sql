-- Customers' S3 access keys. The secret is the cluster's: it is shown once and not stored.

-- A row is inserted before the cluster is called, and deleted after the cluster has deleted its key: what breaks off in
-- between is found by its state.
-- Also written by: provisioning (state; deletes those of a purged account).
create table access_key (
    access_key text primary key,
    seq bigint generated always as identity,         -- order of lists
    account_id bigint not null references storage_account,
    description text,
    state text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,                 -- when it entered its state
    constraint access_key_state check (state in ('pending', 'active', 'deleting')),
    constraint access_key_form check (access_key ~ '^[A-Z0-9]{16,128}$'),
    constraint access_key_description check (char_length(description) between 1 and 200)
);
create index access_key_account_id_seq_idx on access_key (account_id, seq);
create index access_key_changed_at_idx on access_key (changed_at) where state <> 'active';
