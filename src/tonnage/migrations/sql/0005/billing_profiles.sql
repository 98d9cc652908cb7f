-- What invoices say about companies, how sellers make their documents, and their rates of tax.

-- An organisation keeps its own profile, and a seller one of each buyer for as long as that has not written one: the
-- operator of its distributors, a distributor of its partners, a partner of its storage accounts. Written in one
-- place, billing_profiles/queries.py.
-- Also written by: provisioning (the contact's address, when a storage account is purged).
create table billing_profile (
    id bigint generated always as identity primary key,
    keeper_id uuid not null references organisation,
    organisation_id uuid references organisation,    -- whom it is about; or a storage account
    account_id bigint references storage_account,
    profile jsonb not null default '{}',             -- as billing_profile.py has checked it; read and copied as a whole
    revision integer not null default 1,             -- an empty one is the first
    changed_at timestamptz not null,
    constraint billing_profile_subject check (num_nonnulls(organisation_id, account_id) = 1),
    constraint billing_profile_profile check (jsonb_typeof(profile) = 'object'),
    constraint billing_profile_keeper unique (organisation_id, keeper_id),
    constraint billing_profile_account unique (account_id)
);
create index billing_profile_keeper_id_idx on billing_profile (keeper_id);

-- A seller without a row has the defaults.
create table seller_settings (
    organisation_id uuid primary key references organisation,
    document text not null default 'statement',
    locale text not null default 'en_GB',
    colour text not null default '#1f3a5f',
    footer text not null default '',
    freeze_day smallint not null default 3,
    number_format text not null default 'INV-{year}-{number:05}',
    number_start bigint not null default 1,
    small_business boolean not null default false,
    retention_years smallint not null default 10,
    negative_total text not null default 'carried',
    logo text,                                       -- a PNG image in base64
    revision integer not null default 1,
    tax_rates_revision integer not null default 1,   -- of all rows in tax_rate together
    changed_at timestamptz not null,
    constraint seller_settings_document check (document in ('statement', 'invoice')),
    constraint seller_settings_negative_total check (negative_total in ('carried', 'credit-note')),
    constraint seller_settings_freeze_day check (freeze_day between 1 and 28),
    constraint seller_settings_number_start check (number_start between 1 and 1000000000),
    constraint seller_settings_retention_years check (retention_years between 1 and 50),
    constraint seller_settings_logo check (char_length(logo) <= 270000)
);

-- The standard rate of a seller's country from a day on.
create table tax_rate (
    organisation_id uuid not null references organisation,
    valid_from date not null,
    percent numeric(6, 3) not null,
    primary key (organisation_id, valid_from),
    constraint tax_rate_percent check (percent between 0 and 100)
);
