-- Alerts: which levels of their capacity storage accounts, partners and contracts have reached.

-- Percent, ascending. An organisation without a row has the levels of its distributor, else of the operator.
create table alert_levels (
    organisation_id uuid primary key references organisation,
    levels smallint[] not null,
    constraint alert_levels_number check (cardinality(levels) between 1 and 5)
);

-- A row from when a level is reached until use is five points below it. No foreign keys: subjects are never deleted.
create table alert (
    seq bigint generated always as identity primary key,
    organisation_id uuid not null,                   -- of the account and the partner: the partner; of the contract: the distributor
    account_id bigint,
    partner_id uuid,
    contract_id uuid,
    of_cap boolean not null default false,           -- of the cap of its overdraft or pay-per-use
    level smallint not null,                         -- percent
    crossed_at timestamptz not null,
    used numeric not null,                           -- bytes, when it was crossed
    capacity numeric not null,                       -- likewise: the allocation, what the contract reserves, or the cap
    constraint alert_subject check (num_nonnulls(account_id, partner_id, contract_id) = 1),
    constraint alert_of_cap check (not of_cap or contract_id is null)
);
create unique index alert_account_id_of_cap_level_idx on alert (account_id, of_cap, level) where account_id is not null;
create unique index alert_partner_id_of_cap_level_idx on alert (partner_id, of_cap, level) where partner_id is not null;
create unique index alert_contract_id_level_idx on alert (contract_id, level) where contract_id is not null;
create index alert_organisation_id_seq_idx on alert (organisation_id, seq);
