-- Forecasts: when storage accounts, partners and contracts are full. Computed every night.

-- What is pay-per-use has no row, nor has what is new until the next run. A row counts while the capacity is the one that
-- it was computed for. No foreign keys: subjects are never deleted.
create table forecast (
    account_id bigint,
    partner_id uuid,
    contract_id uuid,
    organisation_id uuid not null,                   -- of the account and the partner: the partner; of the contract: the distributor
    seller_id uuid not null,                         -- who gives the capacity: the partner, the distributor, the operator
    capacity bigint not null,                        -- bytes: the allocation, or what the contract reserves
    computed_on date not null,                       -- from the use until the day before
    reason text,                                     -- why there are no days
    earliest date,                                   -- with 10 percent it is full by then
    likely date,                                     -- with 50 percent
    latest date,                                     -- with 90 percent; null: more than a year later
    constraint forecast_subject check (num_nonnulls(account_id, partner_id, contract_id) = 1),
    constraint forecast_reason check (reason in ('short_history', 'growth_changes', 'not_within_year', 'full')),
    constraint forecast_days check (num_nonnulls(earliest, likely) = case when reason is null then 2 else 0 end)
) with (fillfactor = 70);
create unique index forecast_account_id_idx on forecast (account_id) where account_id is not null;
create unique index forecast_partner_id_idx on forecast (partner_id) where partner_id is not null;
create unique index forecast_contract_id_idx on forecast (contract_id) where contract_id is not null;
create index forecast_seller_id_likely_idx on forecast (seller_id, likely) where likely is not null;

-- The last run that has computed all of them.
create table forecast_run (
    is_only_row boolean primary key default true check (is_only_row),
    finished_at timestamptz not null,
    seconds double precision not null,
    subjects bigint not null,                        -- what has a capacity
    forecasts bigint not null                        -- of these, with days
);
