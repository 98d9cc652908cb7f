-- Contracts: what a distributor has reserved, and the price of what is used beyond the allocations.

-- Also written by: partners (allocated_capacity, used), provisioning (used), usage (used).
create table contract (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity,
    distributor_id uuid not null references organisation,
    reserved_capacity bigint not null,
    allocated_capacity bigint not null default 0,    -- sum of the open partners' allocations
    used numeric not null default 0,                 -- sum of the partners' last known use, bytes
    price_cents numeric not null,                    -- per excess GB-month
    currency currency not null,
    details text,
    name_key text collate "C",                       -- of the details: what lists search and sort by
    created_at timestamptz not null default now(),
    terms_since timestamptz not null default now(),  -- valid_from of the present terms
    constraint contract_of_distributor unique (id, distributor_id),  -- what partner_contract refers to
    constraint contract_reserved check (reserved_capacity >= 0),
    constraint contract_capacity check (allocated_capacity between 0 and reserved_capacity),
    constraint contract_used check (used >= 0),
    constraint contract_price check (price_cents >= 0 and price_cents < 1e12 and scale(price_cents) <= 6),
    constraint contract_name_key check ((details is null) = (name_key is null)),
    constraint contract_details check (char_length(details) between 1 and 200)
) with (fillfactor = 50);  -- the row with the most updates: room for its next version on the same page
create index contract_distributor_id_seq_idx on contract (distributor_id, seq);

create table contract_terms (
    id bigint generated always as identity primary key,  -- of two terms of one instant the later written counts
    contract_id uuid not null references contract,
    valid_from timestamptz not null,
    reserved_capacity bigint not null,
    price_cents numeric not null,
    currency currency not null
);
create index contract_terms_contract_id_valid_from_id_idx on contract_terms (contract_id, valid_from, id);
create trigger append_only before update or delete on contract_terms for each row execute function reject_change();
create trigger no_truncate before truncate on contract_terms execute function reject_change();
