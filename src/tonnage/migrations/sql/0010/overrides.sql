-- Timed overrides: more capacity for a storage account or a partner until a day.
-- Now also written by overrides: storage_account.
-- Now also written by overrides: partner.
-- Now also written by overrides: contract.

-- Never overwritten: another override of the same thing ends the one before it. No foreign keys: accounts and partners are
-- never deleted. A day counts if the override runs at its end.
--
-- Also written by: partners (ends that of a closed partner), provisioning (ends that of a purged account).
create table capacity_override (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,
    account_id bigint,
    partner_id uuid,
    capacity bigint not null,                        -- bytes; the allocation is at least that while it runs
    valid_from timestamptz not null,
    valid_until timestamptz not null,                -- a midnight, UTC
    ended_at timestamptz,                            -- ended earlier, by a person or another override
    is_free boolean not null,                        -- use within it is not excess
    reason text not null,
    reminded_days smallint,                          -- how many days before its end the last reminder was
    first_day date not null generated always as ((valid_from at time zone 'UTC')::date) stored,
    last_day date not null generated always as ((least(valid_until, ended_at) at time zone 'UTC')::date - 1) stored,
    constraint capacity_override_subject check (num_nonnulls(account_id, partner_id) = 1),
    constraint capacity_override_capacity check (capacity > 0),
    constraint capacity_override_until check (valid_until > valid_from and (ended_at < valid_until) is not false),
    constraint capacity_override_reason check (char_length(reason) between 1 and 200)
);
create index capacity_override_account_id_idx on capacity_override (account_id, seq)
    where account_id is not null;
create index capacity_override_partner_id_idx on capacity_override (partner_id, seq)
    where partner_id is not null;
create index capacity_override_valid_until_idx on capacity_override (valid_until) where ended_at is null;
-- What has changed the charges of a month since a moment.
create index capacity_override_valid_from_idx on capacity_override (valid_from);
create index capacity_override_ended_at_idx on capacity_override (ended_at) where ended_at is not null;

-- The override that runs, and until when. They stay after that until a job has ended it: what is given is not sold again
-- before the cluster enforces less.
alter table storage_account
    add column override_capacity bigint,
    add column override_until timestamptz,
    add constraint storage_account_override check (
        (override_capacity is null) = (override_until is null) and override_capacity > 0);
create index storage_account_override_until_idx on storage_account (override_until) where override_until is not null;

-- Bytes: the allocation while an override runs. Pay-per-use has none that could be raised.
create function effective_capacity(allocated bigint, override bigint) returns bigint
    language sql immutable parallel safe
    return case when allocated = 0 then 0 else greatest(allocated, override) end;

-- What accounts are allocated for good is still at most the partner's own allocation, so that every override can end.
alter table partner
    add column override_capacity bigint,
    add column override_until timestamptz,
    add column overrides_of_accounts bigint not null default 0, -- what their overrides add to their allocations
    add constraint partner_override check (
        (override_capacity is null) = (override_until is null) and override_capacity > 0),
    add constraint partner_overrides_of_accounts check (
        overrides_of_accounts >= 0 and (
            overrides_of_accounts <= effective_capacity(allocated_capacity, override_capacity) - allocated_to_accounts
            or overrides_of_accounts = 0 or allocated_capacity = 0 or coalesce(allow_overdraft, false)));
create index partner_override_until_idx on partner (override_until) where override_until is not null;
