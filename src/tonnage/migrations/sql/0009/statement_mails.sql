-- The mails by which sellers send their statements: written in the transaction that gives the statement its number.
create table statement_mail (
    statement_id uuid primary key references statement,
    queued_at timestamptz not null,
    tried_at timestamptz,
    sent_at timestamptz,
    refused text,  -- no_address | rejected | failed: why it was not sent when it was last tried
    constraint statement_mail_refused check (refused is null or (tried_at is not null and sent_at is null))
);
create index statement_mail_due_idx on statement_mail (coalesce(tried_at, queued_at), statement_id)
    where sent_at is null;
