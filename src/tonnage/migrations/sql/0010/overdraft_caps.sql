-- Caps of overdraft: how much a storage account or a partner may use beyond its allocation, or of pay-per-use.
-- Now also written by overdraft_caps: storage_account.
-- Now also written by overdraft_caps: partner.

-- One unit: bytes; percent of the allocation; or money a month, in the major unit, whose bytes a job computes every night.
alter table storage_account
    add column overdraft_cap bigint,                 -- bytes
    add column overdraft_cap_percent smallint,
    add column overdraft_cap_amount numeric,
    add column overdraft_cap_currency currency,
    add constraint storage_account_overdraft_cap check (
        num_nonnulls(overdraft_cap, overdraft_cap_percent) <= 1 and overdraft_cap >= 0 and overdraft_cap_percent > 0),
    add constraint storage_account_overdraft_cap_amount check (
        num_nonnulls(overdraft_cap_amount, overdraft_cap_currency) = 0
        or (num_nonnulls(overdraft_cap, overdraft_cap_amount, overdraft_cap_currency) = 3 and overdraft_cap_amount > 0));
-- For the alerts.
create index storage_account_overdraft_cap_idx on storage_account (id)
    where num_nonnulls(overdraft_cap, overdraft_cap_percent) > 0;
create index storage_account_overdraft_cap_amount_idx on storage_account (partner_id, id)
    where overdraft_cap_amount is not null;

alter table partner
    add column overdraft_cap bigint,
    add column overdraft_cap_percent smallint,
    add column overdraft_cap_amount numeric,
    add column overdraft_cap_currency currency,
    add constraint partner_overdraft_cap check (
        num_nonnulls(overdraft_cap, overdraft_cap_percent) <= 1 and overdraft_cap >= 0 and overdraft_cap_percent > 0),
    add constraint partner_overdraft_cap_amount check (
        num_nonnulls(overdraft_cap_amount, overdraft_cap_currency) = 0
        or (num_nonnulls(overdraft_cap, overdraft_cap_amount, overdraft_cap_currency) = 3 and overdraft_cap_amount > 0));
create index partner_overdraft_cap_idx on partner (seq) where num_nonnulls(overdraft_cap, overdraft_cap_percent) > 0;
create index partner_overdraft_cap_amount_idx on partner (distributor_id, id) where overdraft_cap_amount is not null;

-- Bytes that may be used beyond the allocation (while an override runs: the override); null: no cap. Percent of nothing is
-- no cap: pay-per-use.
create function overdraft_cap(allocated bigint, cap bigint, percent smallint) returns numeric
    language sql immutable parallel safe
    return coalesce(cap, case when allocated > 0 then trunc(allocated::numeric * percent / 100) end);
