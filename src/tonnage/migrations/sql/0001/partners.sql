-- Partners: the part of a contract that a partner may allocate to its storage accounts.

-- Also written by: accounts (allocated_to_accounts, account_count), provisioning (allocated_to_accounts, account_count,
-- used), usage (used).
create table partner (
    id uuid primary key references organisation,     -- the same id: an organisation of kind `partner`
    seq bigint generated always as identity,
    distributor_id uuid not null,
    contract_id uuid not null,
    allocated_capacity bigint not null,              -- 0: pay-per-use
    allow_overdraft boolean,                         -- null: never set, and left out on the wire
    details text,
    allocated_to_accounts bigint not null default 0, -- sum of the living accounts' allocations
    account_count integer not null default 0,        -- number of living accounts
    used numeric not null default 0,                 -- sum of the accounts' last known use, bytes
    terms_since timestamptz not null default now(),  -- valid_from of the present terms
    closed_at timestamptz,                           -- as in organisation: it must be read under this row's lock
    constraint partner_contract foreign key (contract_id, distributor_id) references contract (id, distributor_id),
    constraint partner_allocated check (allocated_capacity >= 0),
    constraint partner_allocated_to_accounts check (
        allocated_to_accounts >= 0 and (allocated_to_accounts <= allocated_capacity or allocated_capacity = 0 or coalesce(allow_overdraft, false))),
    constraint partner_used check (used >= 0),
    constraint partner_empty check (account_count >= 0 and (closed_at is null or account_count = 0)),
    constraint partner_details check (char_length(details) between 1 and 200)
) with (fillfactor = 80);
create index partner_contract_id_seq_idx on partner (contract_id, seq);
create index partner_distributor_id_seq_idx on partner (distributor_id, seq);
-- Lists count the open partners, of a distributor and of each of its contracts: by this index alone.
create index partner_distributor_id_contract_id_idx on partner (distributor_id, contract_id) where closed_at is null;

create table partner_terms (
    id bigint generated always as identity primary key,
    partner_id uuid not null references partner,
    valid_from timestamptz not null,
    contract_id uuid not null,
    allocated_capacity bigint not null,
    allow_overdraft boolean not null
);
create index partner_terms_partner_id_valid_from_id_idx on partner_terms (partner_id, valid_from, id);
-- Who was ever under a contract.
create index partner_terms_contract_id_partner_id_idx on partner_terms (contract_id, partner_id);
create trigger append_only before update or delete on partner_terms for each row execute function reject_change();
create trigger no_truncate before truncate on partner_terms execute function reject_change();
