-- Mails about alerts to the contacts of storage accounts, in the name of their partner.

-- A partner without a row mails them.
create table contact_mail_setting (
    organisation_id uuid primary key references organisation,
    enabled boolean not null
);

-- What is to be mailed to the contact of an account, what was, and whether it has stopped that. An address is the contact
-- of one account. A row of another address than the account has counts for nothing.
-- Also written by: provisioning (deleted, when a storage account is purged).
create table contact_mail (
    account_id bigint primary key references storage_account,
    email_key text collate "C" not null,             -- the address that this is about
    due_at timestamptz,                              -- null: nothing is to be sent
    mailed_at timestamptz,                           -- the last one
    mailed_alert bigint,                             -- alert.seq of what the last one said
    unsubscribed_at timestamptz,                     -- by the contact itself; nobody else ends that
    constraint contact_mail_unsubscribed check (unsubscribed_at is null or due_at is null)
);
create index contact_mail_due_at_idx on contact_mail (due_at, account_id) where due_at is not null;

-- The position through which events have been looked at.
create table contact_mail_progress (
    is_only_row boolean primary key default true check (is_only_row),
    position bigint not null
);
insert into contact_mail_progress (position) select position from event_progress;
